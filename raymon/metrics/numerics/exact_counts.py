"""A histogram with one bin for every score that occurs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from raymon.metrics.numerics.row_codes import run_ends, score_codes

_SUM_BITS = 62


def exact_counts(preds: Tensor, positive: Tensor, weights: Tensor | None) -> Tensor:
    """Returns the weight of the negatives and of the positives by score. Waits for the device.

    Weights are added up as integers, so that no order changes a sum. The unit of each class is a
    power of 2 that its largest weight decides: with 2^n rows in all, weights are right to
    2^-(62 - n) of that largest one, however little the class weighs compared with the other. The
    sums are rounded to float64.

    Args:
        preds: Scores in [0, 1], or NaN, float32 or float64 `[N]`.
        positive: 1 for a positive and 0 for a negative, `[N]`.
        weights: Valid weights, float64 `[N]`; None if all are equal.

    Returns:
        float64 `[2, R + 1]`, int64 without weights: R scores in their order, the last bin for NaN;
        on the CPU.
    """
    return scores_and_counts(preds, positive, weights)[1]


def scores_and_counts(
    preds: Tensor, positive: Tensor, weights: Tensor | None
) -> tuple[NDArray[Any], Tensor]:
    """Returns the scores that occur, ascending `[R]`, and what `exact_counts` returns."""
    score, label = preds.cpu().numpy(), positive.cpu().numpy() > 0.5
    weight = None if weights is None else weights.cpu().numpy()
    is_nan = np.isnan(score)
    nan = np.zeros((2, 1), np.int64)
    if is_nan.any():
        np.add.at(nan[:, 0], label[is_nan].astype(np.int64), 1)
        score, label = score[~is_nan], label[~is_nan]
        weight = None if weight is None else weight[~is_nan]
    if weight is None:
        scores, whole = _by_score(score, label, None)
        return scores, torch.from_numpy(np.concatenate([whole, nan], axis=1))
    shift = _shifts(weight, label)
    units = np.rint(weight * np.ldexp(1.0, shift)[label.astype(np.intp)]).astype(np.int64)
    scores, whole = _by_score(score, label, units)
    counts = np.ldexp(whole.astype(np.float64), -shift[:, None])
    return scores, torch.from_numpy(np.concatenate([counts, nan], axis=1))


def _shifts(weight: NDArray[np.float64], label: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Returns the powers of 2 by which the weights of both classes become integers: `[2]`."""
    largest = [weight.max(initial=0, where=label == side) for side in (False, True)]
    bits = _SUM_BITS - len(weight).bit_length()
    return (bits - np.frexp(largest)[1]).astype(np.int32)


def _by_score(
    score: NDArray[Any], label: NDArray[np.bool_], weight: NDArray[np.int64] | None
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Returns the scores `[R]` and the weight of each class, int64 `[2, R]`, without NaN."""
    if len(score) == 0:
        return score, np.zeros((2, 0), np.int64)
    rows = _codes(score)
    distinct = None
    if score.dtype != np.float32:
        # Codes of float64 count the scores below.
        distinct = np.empty(int(rows.max()) + 1, score.dtype)
        distinct[rows] = score + 0
    # The label in the lowest bit, so that one integer is sorted for each row.
    rows <<= 1
    rows |= label
    if weight is None:
        rows.sort()
        is_positive = (rows & 1).astype(bool)
        rows >>= 1
        last = run_ends(rows)
        up_to = np.empty((2, len(last) + 1), np.int64)
        up_to[:, 0] = 0
        up_to[1, 1:] = np.cumsum(is_positive, dtype=np.int64)[last]
        up_to[0, 1:] = last + 1 - up_to[1, 1:]
        return _scores(rows[last], distinct), np.diff(up_to)
    order = np.argsort(rows)
    rows, weight = rows[order], weight[order]
    is_positive = (rows & 1).astype(np.int64)
    rows >>= 1
    last = run_ends(rows)
    sides = (weight * side for side in (1 - is_positive, is_positive))
    counts = np.diff([np.cumsum(side)[last] for side in sides], prepend=0, axis=1)
    return _scores(rows[last], distinct), counts


def _codes(score: NDArray[Any]) -> NDArray[Any]:
    """Returns integers in the order of the scores in [0, 1], of 31 bits or fewer, or of 63."""
    if score.dtype == np.float32:
        # The bits of numbers that are not negative rise as they do; sorting 32 bits takes half the
        # time. Adding 0 makes -0.0 the same score as 0.0.
        return (score + np.float32(0)).view(np.uint32)
    return score_codes(score)


def _scores(codes: NDArray[Any], distinct: NDArray[Any] | None) -> NDArray[Any]:
    """Returns the scores that have these codes of `_codes`, ascending."""
    return codes.view(np.float32) if distinct is None else distinct
