"""The share of pairs of rows that have equal values."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from raymon.metrics.numerics.row_codes import run_ends


def tied_share(values: Tensor, weights: Tensor | None) -> float:
    """Returns the share of all pairs of rows that have equal values; NaN without a pair.

    A pair weighs the product of its weights. Waits for the device.

    Args:
        values: Real values, `[N]`.
        weights: Weights, float64 `[N]`; None if all are equal.
    """
    if len(values) < 2:
        return float("nan")
    column = values.cpu().numpy()
    if weights is None:
        ordered = np.sort(column)
        rows = np.diff(run_ends(ordered), prepend=-1).astype(np.float64)
        tied, all_pairs = (rows * (rows - 1)).sum(), len(ordered) * (len(ordered) - 1.0)
    else:
        # Sorted by values and weights, so that sums are the same for any order of the rows.
        weight = weights.cpu().numpy()
        order = np.lexsort((weight, column))
        last = run_ends(column[order])
        first = np.append(0, last[:-1] + 1)
        weight = weight[order] / max(float(weight.max()), 1e-300)
        itself = np.square(weight)
        tied = (np.square(np.add.reduceat(weight, first)) - np.add.reduceat(itself, first)).sum()
        all_pairs = np.square(weight.sum()) - itself.sum()
    return float(tied / all_pairs) if all_pairs > 0 else float("nan")
