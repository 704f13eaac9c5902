"""Code of a user that breaks in one place: a model, a metric, a dataset."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor, nn
from torchmetrics import Metric

from raymon.data import Batch
from raymon.models import RankingModel

BROKEN = "no such luck"
FEW = 100


class BreakingGradient(torch.autograd.Function):
    """A function without a gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        raise ValueError(BROKEN)


def refuse(gradient: Tensor) -> Tensor:
    raise ValueError(BROKEN)


class BreakingModel(RankingModel):
    """A model that breaks in its third step in training."""

    def __init__(self, *arguments: Any, where: str, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.bias = nn.Parameter(torch.zeros(()))
        self._where = where
        self._steps = 0

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        self._steps += self.training
        logits = batch.dense["price"].reshape(-1) + self.bias
        if self.breaks("predict"):
            raise ValueError(BROKEN)
        if self.breaks("backward"):
            logits = BreakingGradient.apply(logits)
        if self.breaks("hook"):
            logits.register_hook(refuse)
        return {"probs": logits.sigmoid(), "logits": logits}

    def loss(self, predictions: Any, batch: Batch) -> dict[str, Tensor]:
        if self.breaks("loss"):
            raise ValueError(BROKEN)
        return super().loss(predictions, batch)

    def breaks(self, where: str) -> bool:
        return self.training and self._steps == 3 and where == self._where


class BreakingMetric(Metric):
    """A metric that cannot be updated with a batch, but with the few rows that it is tried with."""

    def __init__(self) -> None:
        super().__init__()
        self.add_state("rows", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        if len(preds) > FEW:
            raise ValueError(BROKEN)

    def compute(self) -> Tensor:
        return self.rows.float()


class UncomputedMetric(BreakingMetric):
    """A metric that cannot be computed of more than a few rows."""

    def update(self, preds: Tensor, target: Tensor) -> None:
        self.rows += len(preds)

    def compute(self) -> Tensor:
        if self.rows > FEW:
            raise ValueError(BROKEN)
        return self.rows.float()


def breaking_rows(path: Path) -> Callable[[], Iterator[pa.Table]]:
    """A dataset that breaks after 1,000 rows."""

    def rows() -> Iterator[pa.Table]:
        yield pq.read_table(path).slice(0, 1000)
        raise ValueError(BROKEN)

    return rows


PLACES: dict[str, Any] = {
    "predict": BreakingModel.predict,
    "loss": BreakingModel.loss,
    "backward": BreakingGradient.backward,
    "hook": refuse,
    "update": BreakingMetric.update,
    "compute": UncomputedMetric.compute,
    "rows": breaking_rows,
}


def place(where: str) -> str:
    """The place of the line that breaks, as a failure names it."""
    lines, first = inspect.getsourcelines(PLACES[where])
    number = next(i for i, line in enumerate(lines) if "raise ValueError" in line)
    name = {"hook": "refuse"}.get(where, where)
    return f"{Path(__file__).relative_to(Path.cwd())}:{first + number} in {name}"
