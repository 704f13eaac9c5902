"""What tests of models of two towers share."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from raymon.data import Batch, Candidates
from tests.models.pipelines import batch_of


def layers(tower: nn.Module, inputs: Tensor) -> Tensor:
    """The tower, from its parameters: a linear map, ReLU, and a linear map."""
    w, b, v, c = tower.parameters()
    return (inputs @ w.T + b).relu() @ v.T + c


def with_candidates(batch: Batch, negatives: int, hard: list[tuple[int, int]]) -> Batch:
    """Adds the items of further rows as candidates: those of all rows, then hard ones."""
    rows = batch.size + negatives + len(hard)
    other = batch_of(rows, seed=7)
    places = torch.tensor(hard).T if hard else None
    most = max((place + 1 for _, place in hard), default=0)
    return replace(batch, candidates=Candidates(other, places, most))
