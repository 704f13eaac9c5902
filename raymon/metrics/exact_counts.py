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
    score, label = preds.cpu().numpy(), positive.cpu().numpy() > 0.5
    weight = None if units is None else units.cpu().numpy()
    is_nan = np.isnan(score)
    nan = np.zeros((2, 1), np.int64)
    if is_nan.any():
        np.add.at(nan[:, 0], label[is_nan].astype(np.int64), 1)
        score, label = score[~is_nan], label[~is_nan]
        weight = None if weight is None else weight[~is_nan]
    counts = _by_score(score, label, weight)
    return torch.from_numpy(np.concatenate([counts, nan], axis=1))


def _by_score(
    score: NDArray[Any], label: NDArray[np.bool_], weight: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """int64 `[2, R]`, without scores of NaN."""
    if len(score) == 0:
        return np.zeros((2, 0), np.int64)
    rows = _codes(score)
    # The label in the lowest bit, so that one integer is sorted for each row.
    rows <<= 1
    rows |= label
    if weight is None:
        rows.sort()
        is_positive = (rows & 1).astype(bool)
        last = run_ends(rows >> 1)
        up_to = np.empty((2, len(last) + 1), np.int64)
        up_to[:, 0] = 0
        up_to[1, 1:] = np.cumsum(is_positive, dtype=np.int64)[last]
        up_to[0, 1:] = last + 1 - up_to[1, 1:]
        return np.diff(up_to)
    order = np.argsort(rows)
    rows, weight = rows[order], weight[order]
    last = run_ends(rows >> 1)
    positives = np.cumsum(weight * (rows & 1).astype(np.int64))[last]
    up_to = np.stack([np.cumsum(weight)[last] - positives, positives])
    return np.diff(up_to, prepend=0, axis=1)


def _codes(score: NDArray[Any]) -> NDArray[Any]:
    """Integers in the order of the scores in [0, 1], of 31 bits or fewer, or of 63."""
    if score.dtype == np.float32:
        # The bits of numbers that are not negative rise as they do; sorting 32 bits takes half the
        # time. Adding 0 makes -0.0 the same score as 0.0.
        return (score + np.float32(0)).view(np.uint32)
    return score_codes(score)
