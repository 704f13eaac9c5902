"""How the past fades: the two laws by which a metric is decayed at a fold.

Both are `rate * past + (1 - rate) * new`, and `new` alone the first time. A past that is not finite
is dropped, so that a NaN is seen at the fold it came in and not for ever after.
"""

from __future__ import annotations

import torch
from torch import Tensor


def decay_value(
    past: Tensor | None, new: Tensor, rate: float, undefined: Tensor | None = None
) -> Tensor:
    """The decayed value of a metric.

    Args:
        past: float64 scalar, the decayed value so far; None the first time.
        new: float scalar, the value over the samples since the last fold.
        rate: weight of the past, in [0, 1].
        undefined: bool scalar, whether the samples were such that there is no new value, as
            without a positive; then the past stays.

    Returns:
        float64 scalar.
    """
    new = new.double()
    if past is None:
        return new
    decayed = torch.where(past.isfinite(), rate * past + (1 - rate) * new, new)
    return decayed if undefined is None else torch.where(undefined, past, decayed)


def decay_histogram(past: Tensor, new: Tensor, rate: float) -> Tensor:
    """The decayed histogram of an AUC.

    Args:
        past: float64 `[2, bins]`, the decayed histogram so far; empty, or with something in its
            last bin, that of NaN, it does not count.
        new: `[2, bins]`, the histogram since the last fold.
        rate: weight of the past, in [0, 1].

    Returns:
        float64 `[2, bins]`.
    """
    new = new.double()
    restart = (past.sum() == 0) | (past[:, -1].sum() > 0)
    return torch.where(restart, new, rate * past + (1 - rate) * new)
