"""What can be told of a batch of any form, without waiting for a device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer


def rows_of(batch: Any) -> int | None:
    """Returns the length of the first tensor in a batch; None if there is none with rows.

    Args:
        batch: A tensor `[B, ...]`, or mappings, lists and tuples with tensors in them.
    """
    if isinstance(batch, Tensor):
        return len(batch) if batch.ndim else None
    parts: Iterable[Any] = ()
    if isinstance(batch, Mapping):
        parts = batch.values()
    elif isinstance(batch, list | tuple):
        parts = batch
    return next((rows for part in parts if (rows := rows_of(part)) is not None), None)


def learning_rates_of(optimizers: Iterable[Optimizer]) -> list[float]:
    """Returns the learning rates by parameter group; none if one of them is on a device."""
    rates = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    if any(isinstance(rate, Tensor) and rate.device.type != "cpu" for rate in rates):
        return []
    return [float(rate) for rate in rates]
