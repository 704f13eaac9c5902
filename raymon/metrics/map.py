"""The mean average precision of groups (MAP)."""

from __future__ import annotations

from raymon.metrics.base.ranked_groups import RankedGroups
from raymon.metrics.numerics.group_ranks import Figure, average_precisions


class MAP(RankedGroups):
    """Mean over groups of the average precision: of the precision at the rank of each positive.

    See Manning, Raghavan and Schütze (2008), "Introduction to Information Retrieval", section 8.4.
    With `top_k` positives below these ranks count 0, and the mean is over as many positives as may
    be above (MAP@K).
    """

    def _figure(self) -> Figure:
        return average_precisions
