"""A model and a dataset that sleep, for faults that are planted; workers have no pytest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import torch
import torch.distributed as dist
from torch import Tensor, nn

from raymon.data import Batch
from raymon.models import RankingModel

BATCH = 256


class SleepingModel(RankingModel):
    """A model that sleeps in forward, on one rank longer from a step on."""

    def __init__(
        self, *arguments: Any, usual_s: float, slow_s: float, rank: int, step: int, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self.bias = nn.Parameter(torch.zeros(()))
        self._usual_s, self._slow_s, self._rank, self._step = usual_s, slow_s, rank, step
        self._steps = 0

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        is_slow = self._steps >= self._step and dist.get_rank() == self._rank
        self._steps += 1
        time.sleep(self._slow_s if is_slow else self._usual_s)
        price = batch.dense["price"].reshape(-1)
        logits = 0.1 * price + self.bias
        return {"probs": logits.sigmoid(), "logits": logits}


class SleepingDataset:
    """Random rows, a batch at a time; some ranks sleep before each.

    Args:
        batches: Batches of each rank.
        seconds: Seconds that a rank sleeps, by rank.
    """

    def __init__(self, batches: int, seconds: dict[int, float]) -> None:
        self._batches = batches
        self._seconds = seconds

    def __iter__(self) -> Iterator[pa.Table]:
        rank = dist.get_rank()
        generator = np.random.default_rng(rank)
        for _ in range(self._batches):
            time.sleep(self._seconds.get(rank, 0.0))
            price = generator.random(BATCH)
            click = (generator.random(BATCH) < 0.3 + 0.4 * price).astype(np.int64)
            yield pa.table({"price": price, "click": click})
