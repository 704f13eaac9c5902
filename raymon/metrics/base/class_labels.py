"""Labels that are the index of a class, as they are needed to look something up by them."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import check_rows


def class_labels(target: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """The index of every label, one that cannot be out of range, and where it is not the label.

    Args:
        target: `[B]`, any type.
        classes: C.

    Returns:
        int64 `[B]`, in [0, C); float64 `[B]`, not zero, or NaN, where the label is no class.
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
    """UserError unless `preds` is `[B, C]`, and `target` and `weights` are `[B]`.

    C is 2 or more, but for one row, which may be its own and only candidate.

    Args:
        metric: its name.
        preds: scores.
        target: labels.
        weights: of the samples.
        classes: C; None where any number will do.
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
