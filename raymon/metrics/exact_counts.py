"""A histogram with a bin for every score that there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from raymon.metrics.row_codes import run_ends, score_codes


def exact_counts(preds: Tensor, positive: Tensor, units: Tensor | None) -> Tensor:
    """The weight of the negatives and of the positives by score. Waits for the device.

    Args:
        preds: float32 or float64 `[N]`, scores in [0, 1], or NaN.
        positive: `[N]`, 1 for a positive and 0 for a negative.
        units: int64 `[N]`, weights, less than 2^62 in all; None where all are equal.

    Returns:
        int64 `[2, R + 1]`, R scores in their order, the last bin for NaN; on the CPU.
    """
    score, label = preds.cpu().numpy(), positive.cpu().numpy().astype(np.int64)
    weight = None if units is None else units.cpu().numpy()
    is_nan = np.isnan(score)
    nan = np.zeros((2, 1), np.int64)
    if is_nan.any():
        np.add.at(nan[:, 0], label[is_nan], 1)
        score, label = score[~is_nan], label[~is_nan]
        weight = None if weight is None else weight[~is_nan]
    counts = _by_score(score, label, weight)
    return torch.from_numpy(np.concatenate([counts, nan], axis=1))


def _by_score(
    score: NDArray[Any], label: NDArray[np.int64], weight: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """int64 `[2, R]`, without scores of NaN."""
    if len(score) == 0:
        return np.zeros((2, 0), np.int64)
    # The label in the lowest bit, so that one integer is sorted for each row.
    rows = score_codes(score) << np.uint64(1) | label.astype(np.uint64)
    if weight is None:
        # Sorting 32 bits takes half the time.
        lowest = rows.min() & ~np.uint64(1)
        if rows.max() - lowest < 1 << 32:
            rows = (rows - lowest).astype(np.uint32)
        rows.sort()
        positives, total = np.cumsum(rows & 1), np.arange(1, len(rows) + 1)
    else:
        order = np.argsort(rows)
        rows, weight = rows[order], weight[order]
        positives, total = np.cumsum(weight * (rows & 1).astype(np.int64)), np.cumsum(weight)
    last = run_ends(rows >> 1)
    positives, total = positives[last].astype(np.int64), total[last].astype(np.int64)
    up_to = np.stack([total - positives, positives])
    return np.diff(up_to, prepend=0, axis=1)
