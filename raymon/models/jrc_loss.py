"""Joint optimization of ranking and calibration: Sheng et al., 2023 (arXiv 2208.06164)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def jrc_loss(logits: Tensor, label: Tensor, sessions: Tensor, alpha: float) -> Tensor:
    """Returns alpha * calibration + (1 - alpha) * ranking of every row.

    The calibration is the cross entropy of the softmax over the two logits of a row. The ranking is
    -log of the share that exp of the logit of its class has among those of the same logit, of the
    row and of the rows of the other class in its session. A row without such a competitor has no
    ranking loss.

    Args:
        logits: Logits of the negative and of the positive class, `[B, 2]`.
        label: Labels, 0 or 1, `[B]`.
        sessions: Session of each row, integers `[B]`, in any order.
        alpha: Weight of the calibration, in [0, 1].

    Returns:
        The losses, `[B]`.
    """
    calibration = F.cross_entropy(logits, label.long(), reduction="none")
    if not logits.shape[0]:
        return calibration
    group = _numbered(sessions)
    is_positive = label > 0
    negative, positive = logits.unbind(1)
    none = torch.full_like(negative, -torch.inf)
    against_positive = _log_sum_exp(torch.where(is_positive, none, positive), group)
    against_negative = _log_sum_exp(torch.where(is_positive, negative, none), group)
    ranking = torch.where(
        is_positive,
        F.softplus(against_positive - positive),
        F.softplus(against_negative - negative),
    )
    return alpha * calibration + (1 - alpha) * ranking


def _numbered(keys: Tensor) -> Tensor:
    """Returns a number below B for each key, the same for the same key, int64 `[B]`."""
    ordered, order = keys.sort()
    begins = F.pad((ordered[1:] != ordered[:-1]).long(), (1, 0))
    return torch.empty_like(order).scatter_(0, order, begins.cumsum(0))


def _log_sum_exp(values: Tensor, group: Tensor) -> Tensor:
    """Returns for each row log of the sum of exp over its group, `[B]`; -inf for an empty sum.

    Args:
        values: Values, `[B]`; -inf is left out.
        group: Number of the group of each row, from 0 to B - 1, `[B]`.
    """
    none = torch.full_like(values, -torch.inf)
    largest = none.scatter_reduce(0, group, values.detach(), "amax")
    largest = torch.where(largest.isinf(), 0, largest)
    sums = torch.zeros_like(values).index_add(
        0, group, (values - largest.index_select(0, group)).exp()
    )
    # The gradient of log at 0 is not finite, even where it is not used.
    logs = torch.where(sums > 0, sums.clamp_min(1e-30).log() + largest, none)
    return logs.index_select(0, group)
