"""A model with a fault in a step of one rank."""

from __future__ import annotations

import os
import time
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from raymon.data import Batch
from raymon.models import EmbeddingCollection, FeatureGroup, RankingModel


class SickModel(RankingModel):
    """One layer on embeddings and numbers.

    From step `at` on, for `steps` steps, its logits are multiplied by `factor` on rank `rank`; each
    step takes `seconds`, and leaves `files` files open.
    """

    def __init__(
        self,
        *arguments: Any,
        at: int = 0,
        steps: int = 1,
        rank: int = 0,
        factor: str = "1",
        seconds: float = 0.0,
        files: int = 0,
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        config, features = arguments[:2]
        self.group = FeatureGroup("deep", config, features)
        specs = {f.name: f.embedding for f in self.group.features if f.is_sparse}
        self.embeddings = EmbeddingCollection(specs)
        self.layer = nn.Linear(self.group.dense_dim + sum(self.group.embedding_dims), 1)
        own = dist.get_rank() if dist.is_initialized() else 0
        self._sick = range(at, at + steps) if own == rank else range(0)
        self._factor, self._seconds, self._files = float(factor), seconds, files
        self._made = 0

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        inputs = self.group.concat(batch, self.embeddings(batch))
        logits = self.layer(inputs).reshape(-1)
        if self.training and torch.is_grad_enabled():
            if self._made in self._sick:
                logits = logits * self._factor + (self._factor if self._factor > 1 else 0)
            self._made += 1
            time.sleep(self._seconds)
            for _ in range(self._files):
                os.open(os.devnull, os.O_RDONLY)
        return {"probs": logits.sigmoid(), "logits": logits}
