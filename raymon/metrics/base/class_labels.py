"""Labels that are indices of classes, in a form that other tensors can be indexed by."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import check_rows


def class_labels(target: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Returns an index for every label that is never out of range, and where it is not the label.

    Args:
        target: Labels `[B]`, of any type.
        classes: Number of classes, C.

    Returns:
        The indices, int64 `[B]`, in [0, C); and float64 `[B]`, not zero, or NaN, where the label is
        no class.
    """
    label = target.double()
    index = label.nan_to_num(nan=0.0).clamp_(0, classes - 1).to(torch.int64)
    return index, index - label


def check_class_rows(
    metric: str,
    preds: Tensor,
    target: Tensor,
    weights: Tensor | None,
    classes: int | None = None,
) -> None:
    """Checks that `preds` is `[B, C]`, and that `target` and `weights` are `[B]`.

    C is at least 2, except for a single row, which may be its own and only candidate.

    Args:
        metric: Name of the metric, for messages.
        preds: Scores.
        target: Labels.
        weights: Sample weights, or None.
        classes: Number of classes, C; None if any number is right.

    Raises:
        UserError: An argument has another shape.
    """
    if (
        preds.dim() != 2
        or preds.shape[1] < max(1, min(2, len(preds)))
        or classes not in (None, preds.shape[1])
    ):
        raise UserError(
            f"{metric}: preds has shape {list(preds.shape)}; it must be [B, {classes or 'C'}], "
            "a score for each of two classes or more"
        )
    check_rows(metric, preds=preds.select(1, 0), target=target, weights=weights)
