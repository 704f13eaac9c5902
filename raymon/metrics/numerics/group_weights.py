"""The weights of the rows of groups, as integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from raymon.metrics.numerics.row_codes import group_codes, run_ends

_MOST_BITS = 40
_SUM_BITS = 62


def group_units(
    key: NDArray[np.int64], weights: NDArray[np.float64] | None
) -> NDArray[np.int64] | None:
    """Returns weights in units of a power of 2 that the largest weight of the group decides.

    Only ratios within a group matter to its figure, so that a group of small weights counts as any
    other. The units depend on the rows of the group alone, in any order.

    Args:
        key: Group of each row, `[N]`; all rows of a group are there.
        weights: Weights, 0 or more, `[N]`; None if all weigh the same.

    Returns:
        Integers `[N]`, up to 2^40 and less than 2^62 in a group; those of a weight above 0 are
        above 0.
    """
    if weights is None or len(weights) == 0:
        return None
    codes = group_codes(key)
    order = np.argsort(codes)
    last = run_ends(codes[order])
    rows = np.diff(last, prepend=-1)
    first = last - rows + 1
    largest = np.maximum.reduceat(weights[order], first)
    bits = np.minimum(_MOST_BITS, _SUM_BITS - np.frexp(rows)[1])
    shift = np.empty(len(weights), np.int64)
    shift[order] = np.repeat(bits - np.frexp(largest)[1], rows)
    units = np.rint(np.ldexp(weights, shift)).astype(np.int64)
    return np.maximum(units, weights > 0)
