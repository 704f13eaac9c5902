"""The share of groups that have a positive among the top k (HR@K)."""

from __future__ import annotations

from typing import Any

from raymon.metrics.base.ranked_groups import RankedGroups
from raymon.metrics.numerics.group_ranks import Figure, hit_rates


class HitRateAtK(RankedGroups):
    """Share of groups that have a positive among their `top_k` highest scores: HR@K.

    With a positive each, as when one item is left out for each user (He et al. 2017, "Neural
    Collaborative Filtering", section 4.1), it is recall@K too. Where equal scores reach over the
    `top_k`-th place, a group counts by the probability that a positive is above it.

    Args:
        top_k: Rows of a group that count.
        kwargs: Arguments of every torchmetrics metric.

    Raises:
        UserError: `top_k` is below 1.
    """

    def __init__(self, top_k: int = 10, **kwargs: Any) -> None:
        super().__init__(top_k, **kwargs)

    def _figure(self) -> Figure:
        return hit_rates
