"""Sums of reals that are the same each time, and on any number of threads."""

from __future__ import annotations

from torch import Tensor


def ordered_sum(values: Tensor) -> Tensor:
    """Returns the sum along the last dimension, on the CPU added up in order.

    `Tensor.sum` splits a long row among threads, and rounds as it was split: workers with different
    numbers of threads would get different last bits from the same counts. On CUDA it has an order
    of its own, the same each time, which a sum in order has not.

    Args:
        values: Values, float64 or int64 `[..., N]`.

    Returns:
        The sums, of the same type, `[...]`; 0 if N is 0.
    """
    if values.shape[-1] == 0 or values.is_cuda:
        return values.sum(-1)
    return values.cumsum(-1)[..., -1]
