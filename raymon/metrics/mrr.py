"""The mean reciprocal rank of the first positive of groups (MRR)."""

from __future__ import annotations

from raymon.metrics.base.ranked_groups import RankedGroups
from raymon.metrics.numerics.group_ranks import Figure, reciprocal_ranks


class MRR(RankedGroups):
    """Mean over groups of 1 / rank of the first positive, in the order of the scores.

    That is the mean reciprocal rank (Voorhees 1999, "The TREC-8 Question Answering Track Report");
    with `top_k` a group whose first positive is below these ranks counts 0 (MRR@K).
    """

    def _figure(self) -> Figure:
        return reciprocal_ranks
