"""What a loop gives of a step, as a monitor takes it. Nothing here waits for a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Losses = Mapping[str, Tensor | float]


def device_of(predictions: Tensor | None, targets: Tensor | None, losses: Losses) -> torch.device:
    """Where the tensors of a step are."""
    values = losses.values() if isinstance(losses, Mapping) else ()
    tensors = (t for t in (predictions, targets, *values) if isinstance(t, Tensor))
    first = next(tensors, None)
    return torch.device("cpu") if first is None else first.device


def rows_of(predictions: Tensor | None, targets: Tensor | None, samples: int | None) -> int:
    """The rows of a batch; 0 where nothing says how many.

    Args:
        predictions, targets: `[B, ...]`, or a scalar for a single row.
        samples: B, where it was given.
    """
    if samples is not None:
        return int(samples)
    column = predictions if targets is None else targets
    if column is None:
        return 0
    return len(column) if column.ndim else 1


def losses_of(losses: Losses) -> dict[str, Tensor]:
    """The losses by name, scalars.

    Raises:
        TypeError: They have no names.
        ValueError: One is no scalar.
    """
    if not isinstance(losses, Mapping):
        raise TypeError(f'losses is a {type(losses).__name__}; give them by name: {{"bce": loss}}')
    return {name: _scalar(name, loss) for name, loss in losses.items()}


def learning_rates_of(optimizer: torch.optim.Optimizer | None) -> Sequence[float]:
    """The learning rates by parameter group; none of them where one is on a device."""
    if optimizer is None:
        return ()
    rates = [group["lr"] for group in optimizer.param_groups]
    if any(isinstance(rate, Tensor) and rate.device.type != "cpu" for rate in rates):
        return ()
    return [float(rate) for rate in rates]


def _scalar(name: str, loss: Tensor | float) -> Tensor:
    if not isinstance(loss, Tensor):
        return torch.tensor(float(loss), device="cpu")
    if loss.numel() != 1:
        raise ValueError(f"loss {name} has shape {list(loss.shape)}; give its mean over the batch")
    return loss.detach().reshape(())
