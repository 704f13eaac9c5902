"""What autocast does to inputs of a matrix product, and how to do without it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def as_autocast(tensor: Tensor) -> Tensor:
    """Returns a tensor in the format in which a matrix product would take it.

    Under autocast that is the format of autocast, except for float64, which autocast leaves alone;
    the gradient comes back in the format of the tensor.
    """
    device = tensor.device.type
    if tensor.dtype == torch.float64 or not torch.amp.is_autocast_available(device):
        return tensor
    if not torch.is_autocast_enabled(device):
        return tensor
    return tensor.to(torch.get_autocast_dtype(device))


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Returns a context in which operations keep the formats of their inputs."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
