"""A model that is slow on one rank: first in its forward, later in its backward."""

from __future__ import annotations

import time
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from raymon.data import Batch
from tests.training.scored_model import ScoredModel

SLEEP_S = 0.15
"""Seconds that a slow rank takes longer in each step."""


class SlowModel(ScoredModel):
    """Sleeps on rank 1 in the forward of steps 2 and 3, then on rank 0 in the backward."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.steps = 0

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        predictions = super().predict(batch)
        if not torch.is_grad_enabled():
            return predictions
        self.steps += 1
        if self.steps in (3, 4) and dist.get_rank() == 1:
            time.sleep(SLEEP_S)
        if self.steps > 4 and dist.get_rank() == 0:
            predictions["logits"].register_hook(lambda gradient: time.sleep(SLEEP_S))
        return predictions
