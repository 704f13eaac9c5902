"""The two laws by which a metric is decayed at a fold.

Both are `rate * past + (1 - rate) * new`, and `new` alone the first time. A past that is not finite
is discarded, so that a NaN shows only at the fold that it came in.
"""

from __future__ import annotations

import torch
from torch import Tensor


def decay_value(
    past: Tensor | None, new: Tensor, rate: float, undefined: Tensor | None = None
) -> Tensor:
    """Returns the decayed value of a metric.

    Args:
        past: Decayed value so far, float64 scalar; None the first time.
        new: Value over the samples since the last fold, float scalar.
        rate: Weight of the past, in [0, 1].
        undefined: Whether the samples have no value, as without a positive, bool scalar; then the
            past stays. None if that is unknown.

    Returns:
        The decayed value, float64 scalar.
    """
    new = new.double()
    if past is None:
        return new
    decayed = torch.where(past.isfinite(), rate * past + (1 - rate) * new, new)
    return decayed if undefined is None else torch.where(undefined, past, decayed)


def decay_histogram(past: Tensor, new: Tensor, rate: float) -> Tensor:
    """Returns the decayed histogram of an AUC.

    Args:
        past: Decayed histogram so far, float64 `[2, bins]`; it does not count if it is empty, or
            its last bin, that of NaN, is not.
        new: Histogram since the last fold, `[2, bins]`.
        rate: Weight of the past, in [0, 1].

    Returns:
        The decayed histogram, float64 `[2, bins]`.
    """
    new = new.double()
    restart = (past.sum() == 0) | (past[:, -1].sum() > 0)
    return torch.where(restart, new, rate * past + (1 - rate) * new)
