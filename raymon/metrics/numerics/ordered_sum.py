"""Sums of reals that are the same on any number of threads."""

from __future__ import annotations

from torch import Tensor


def ordered_sum(values: Tensor) -> Tensor:
    """The sum along the last dimension, added up in order.

    `Tensor.sum` splits a long row among threads, and rounds as it was split: workers with other
    numbers of threads would get other last bits from the same counts.

    Args:
        values: float64 or int64 `[..., N]`.

    Returns:
        of the same type `[...]`; 0 where N is 0.
    """
    if values.shape[-1] == 0:
        return values.sum(-1)
    return values.cumsum(-1)[..., -1]
