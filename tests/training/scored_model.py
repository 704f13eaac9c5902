"""A model whose scores depend only on the row."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from raymon.data import Batch
from raymon.models import RankingModel


class ScoredModel(RankingModel):
    """Predicts the logistic function of `price`; its one parameter changes nothing."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.unused = nn.Parameter(torch.zeros(()))

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        logits = batch.dense["price"].reshape(-1) + 0 * self.unused
        return {"probs": logits.sigmoid(), "logits": logits}


class WithUnused(ScoredModel):
    """A model with a layer that no prediction uses."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.nothing = nn.Linear(2, 2)
