"""Ids that get rows of their own as they are met: admitted by frequency, evicted by score."""

from raymon.embeddings.growing.growing_ids import GrowingIds, GrowthCounts
from raymon.embeddings.growing.id_counts import IdCounts, add_up, exchange

__all__ = ["GrowingIds", "GrowthCounts", "IdCounts", "add_up", "exchange"]
