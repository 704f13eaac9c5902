"""The arguments of a step, checked and as tensors. Nothing here waits for a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Losses = Mapping[str, Tensor | float]

Column = Tensor | NDArray[Any] | Sequence[float]
"""Values of the rows of a batch; arrays and sequences are copied into a tensor."""


@dataclass(slots=True)
class StepArguments:
    """The arguments of a step; the defaults stand for a step of which nothing is known.

    Attributes:
        losses: Loss scalars by name.
        columns: Tensors `[B, ...]` that every metric is updated with.
        weights: Sample weights `[B]`, for the metrics that take them.
        samples: Number of rows B; 0 if it is not known.
        loss_weights: Weight of the losses: the sum of the sample weights by name, or the number of
            rows.
        epoch: Number of the epoch, from 0.
    """

    losses: Mapping[str, Tensor] = field(default_factory=dict)
    columns: tuple[Tensor, ...] = ()
    weights: Tensor | None = None
    samples: int = 0
    loss_weights: Mapping[str, Tensor] | float = 0.0
    epoch: int = 0

    @classmethod
    def of(
        cls,
        losses: Losses,
        predictions: Column | None,
        targets: Column | None,
        weights: Column | None,
        samples: int | None,
        epoch: int,
    ) -> StepArguments:
        """Checks and converts the arguments of the public `Monitor.step`.

        Raises:
            Exception: An argument is wrong; the exception can be of any type.
        """
        given = {"predictions": predictions, "targets": targets}
        columns = tuple(_column(n, value) for n, value in given.items() if value is not None)
        # The rows of the targets, or of the predictions if they are alone.
        rows = _rows(columns[-1:]) if samples is None else _row_count(samples)
        by_name = _by_name(losses)
        # If the number of rows is unknown, every step weighs the same.
        loss_weights: Mapping[str, Tensor] | float = float(rows or 1)
        if weights is not None:
            weights = _column("weights", weights)
            loss_weights = dict.fromkeys(by_name, weights.sum())
        return cls(by_name, columns, weights, rows, loss_weights, int(epoch))


def device_of(predictions: Column | None, targets: Column | None, losses: Losses) -> torch.device:
    """Returns the device of the tensors of a step; the CPU if there are none."""
    values = losses.values() if isinstance(losses, Mapping) else ()
    tensors = (t for t in (predictions, targets, *values) if isinstance(t, Tensor))
    first = next(tensors, None)
    return torch.device("cpu") if first is None else first.device


def learning_rates_of(optimizer: torch.optim.Optimizer | None) -> Sequence[float]:
    """Returns the learning rates by parameter group; none if one of them is on a device."""
    if optimizer is None:
        return ()
    rates = [group["lr"] for group in optimizer.param_groups]
    if any(isinstance(rate, Tensor) and rate.device.type != "cpu" for rate in rates):
        return ()
    return [float(rate) for rate in rates]


def scores_of(scores: Mapping[str, float]) -> dict[str, float]:
    """Returns the scores of an evaluation as numbers.

    Raises:
        TypeError: They are no numbers by name.
    """
    if not isinstance(scores, Mapping):
        raise TypeError(f'scores is a {type(scores).__name__}; give them by name: {{"auc": 0.75}}')
    found = {}
    for name, score in scores.items():
        try:
            found[str(name)] = float(score)
        except (TypeError, ValueError):
            raise TypeError(f"score {name} is {score!r:.60}; give a number") from None
    return found


def _column(name: str, value: Column) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    wrong = f"{name} is a {type(value).__name__}; give a tensor [B], an array or a list of numbers"
    is_listed = isinstance(value, list | tuple) and not any(isinstance(v, Tensor) for v in value)
    if not is_listed and not hasattr(value, "__array__"):
        raise TypeError(wrong)
    try:
        numbers = np.asarray(value)
    except ValueError:  # rows of several lengths
        raise TypeError(wrong) from None
    if numbers.dtype.kind not in "biuf":
        raise TypeError(wrong)
    # A copy, as later writes to an array cannot be detected.
    return torch.tensor(numbers)


def _row_count(samples: int) -> int:
    if not isinstance(samples, Integral) or samples < 0:
        raise ValueError(f"samples is {samples!r}; it must be a whole number of at least 0")
    return int(samples)


def _rows(columns: Sequence[Tensor]) -> int:
    return sum(len(column) if column.ndim else 1 for column in columns)


def _by_name(losses: Losses) -> dict[str, Tensor]:
    if not isinstance(losses, Mapping):
        raise TypeError(f'losses is a {type(losses).__name__}; give them by name: {{"bce": loss}}')
    return {name: _scalar(name, loss) for name, loss in losses.items()}


def _scalar(name: str, loss: Tensor | float) -> Tensor:
    if not isinstance(loss, Tensor):
        try:
            return torch.tensor(float(loss), device="cpu")
        except (TypeError, ValueError):
            what = f"loss {name} is {loss!r:.60}; give a number, or a tensor of one"
            raise TypeError(what) from None
    if loss.numel() != 1:
        raise ValueError(f"loss {name} has shape {list(loss.shape)}; give its mean over the batch")
    return loss.detach() if loss.ndim == 0 else loss.detach().reshape(())
