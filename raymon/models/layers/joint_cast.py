"""Parameters in the format of autocast, all of them in one operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

_ALIGNED = 64


def cast_together(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Returns tensors in the format that autocast would cast each of them to.

    Autocast casts every weight and bias on its own, and its gradient back: 32 operations for eight
    linear layers, each of which a GPU has to be sent. Here these are two, with the same numbers.
    Outside of autocast, and if they are not all float32, the tensors are returned as they are.
    """
    device = tensors[0].device.type
    if not torch.amp.is_autocast_available(device) or not torch.is_autocast_enabled(device):
        return tuple(tensors)
    if any(tensor.dtype != torch.float32 for tensor in tensors):
        return tuple(tensors)
    return _cast(torch.get_autocast_dtype(device), *tensors)


class _Cast(torch.autograd.Function):
    """Tensors in another format, whose gradients come back in their own."""

    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Returns the tensors in `dtype`."""
        return tuple(_copies(tensors, dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Returns the gradients of the tensors, float32."""
        return None, *_copies(gradients, torch.float32)


_cast: Callable[..., tuple[Tensor, ...]] = _Cast.apply


def _copies(tensors: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    # In one memory, each from a multiple of _ALIGNED numbers, as matrix products want it.
    sizes = [-(-tensor.numel() // _ALIGNED) * _ALIGNED for tensor in tensors]
    memory = torch.empty(sum(sizes), dtype=dtype, device=tensors[0].device)
    copies = [
        part[: tensor.numel()].view(tensor.shape)
        for part, tensor in zip(memory.split(sizes), tensors, strict=True)
    ]
    torch._foreach_copy_(copies, list(tensors))
    return copies
