"""The order of reals, and of 64-bit integers, by sorting small integers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_INDEX_BITS = 32
_INDEX = (1 << _INDEX_BITS) - 1


def sort_keys(values: Tensor) -> Tensor:
    """Returns integers in the order of the values, equal if these are equal.

    Args:
        values: Values, float32, float64 or int64 `[N]`; NaN comes anywhere.

    Returns:
        int32 `[N]`: for float32 the bits, for other types how many distinct values are smaller.
    """
    if values.dtype == torch.float32:
        # Adding 0 makes -0.0 the same as 0.0.
        bits = (values + 0.0).view(torch.int32)
        return torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    ordered, order = values.sort()
    changes = (ordered[1:] != ordered[:-1]).to(torch.int32)
    smaller = torch.nn.functional.pad(changes, (1, 0))[: len(values)].cumsum(0, dtype=torch.int32)
    return torch.empty_like(smaller).scatter_(0, order, smaller)


def stable_order(keys: Tensor) -> Tensor:
    """Returns the indices of integers, sorted by them; those of equal integers keep their order.

    Args:
        keys: Integers, int32 `[N]`; N is below 2^32.

    Returns:
        The indices, int64 `[N]`.
    """
    if keys.device.type != "cpu":
        return keys.sort(stable=True).indices
    # Sorting integers alone is many times as fast as sorting with their positions, so each
    # carries its position in its low bits.
    packed = (keys.long() << _INDEX_BITS) + torch.arange(len(keys))
    return torch.from_numpy(np.sort(packed.numpy())) & _INDEX
