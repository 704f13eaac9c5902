"""Counts of what is wrong with the input of an update, made on its device without waiting for it.

They count nonzero results of arithmetic instead of comparing: on a CPU comparisons take five times
as long.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from raymon.metrics.base.weight_tables import LARGEST, SMALLEST
from raymon.metrics.numerics.auc_bins import all_inside
from raymon.metrics.numerics.fixed_point import bad_weights

_OF_NUMPY = (torch.float32, torch.float64)


def invalid_counts(
    preds: Tensor,
    bad_labels: Tensor,
    weights: Tensor | None,
    *,
    probabilities: bool = True,
    sliced: bool = False,
) -> Tensor:
    """Returns what to add to the state `invalid` of a CheckedMetric.

    Args:
        preds: Scores, float `[B]` or `[B, C]`; a row counts once, as NaN if any score is NaN.
        bad_labels: Numbers that are not zero, or NaN, where a label is wrong, `[B]`.
        weights: Sample weights, float `[B]`, or None.
        probabilities: Whether scores outside [0, 1] are wrong.
        sliced: Whether the weights are for a table of `weight_tables`.

    Returns:
        The counts, int64 `[4]`.
    """
    preds = preds.detach()
    if _is_clean(preds, bad_labels, weights, probabilities):
        return torch.zeros(4, dtype=torch.int64)
    inside = preds.clamp(0, 1)
    nan = _rows(inside - inside)
    none = torch.zeros_like(nan)
    outside = _rows(inside - preds) - nan if probabilities else none
    wrong_weights = none
    if weights is not None:
        wrong_weights = bad_weights(weights, *((SMALLEST, LARGEST) if sliced else ()))
    return torch.stack([nan, outside, torch.count_nonzero(bad_labels), wrong_weights])


def not_binary(target: Tensor) -> Tensor:
    """Returns zero where a label is 0 or 1, and another number, or NaN, elsewhere: `[B]`."""
    if target.dtype != torch.float64:
        target = target.float()
    return target * target - target


def clean_classes(preds: Tensor, target: Tensor) -> Tensor | None:
    """Returns the binary labels if nothing is wrong, as far as that is known without waiting.

    Args:
        preds: Probabilities, float `[B]`.
        target: Labels `[B]`.

    Returns:
        int32 `[B]`, 1 for a positive; None if anything may be wrong, or only a device knows.
    """
    if {preds.device.type, target.device.type} != {"cpu"} or preds.dtype != torch.float32:
        return None
    if target.is_floating_point() and target.dtype not in _OF_NUMPY:
        return None
    if not all_inside(preds.detach().numpy()):
        return None
    labels = target.detach().numpy()
    if labels.dtype.kind == "f":
        clean = ((labels == 0) | (labels == 1)).all()
    else:
        # The union of all bits is 0 or 1 only if every label is.
        clean = np.bitwise_or.reduce(labels) in (0, 1)
    return torch.from_numpy(labels.astype(np.int32)) if clean else None


def _is_clean(
    preds: Tensor, bad_labels: Tensor, weights: Tensor | None, probabilities: bool
) -> bool:
    """Whether there is nothing to count, if that is known without waiting for a device."""
    if preds.device.type != "cpu" or preds.dtype not in _OF_NUMPY or weights is not None:
        return False
    # In an array with a NaN the extremes are NaN, and every comparison with them is false.
    scores, labels = preds.numpy(), bad_labels.numpy()
    low, high = scores.min(initial=0), scores.max(initial=0)
    inside = low >= 0 and high <= 1 if probabilities else low == low
    return bool(inside and labels.min(initial=0) == 0 == labels.max(initial=0))


def _rows(differences: Tensor) -> Tensor:
    # The number of rows with an entry that is not zero. A NaN stays one in a sum.
    return torch.count_nonzero(differences if differences.dim() == 1 else differences.abs().sum(1))
