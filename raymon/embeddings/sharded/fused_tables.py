"""What a lookup asks of the tables that fbgemm holds, on one worker or on several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from raymon.embeddings.sharded.bags import Bags
from raymon.embeddings.table_shards import TableShards


class FusedTables(Protocol):
    """Tables whose rows are updated in the backward of their lookup."""

    def pooled(self, bags: Bags, steps: int) -> Tensor:
        """Returns the sums of embeddings `[B, sum of dims]`; every rank calls it.

        Args:
            bags: Ids of each feature.
            steps: Steps that the optimizer has made.
        """

    def set_rate(self, rate: float) -> None:
        """Sets the learning rate of the next updates."""

    def weights(self, index: int) -> TableShards:
        """Returns the rows that are here of a table, by its number."""

    def states(self, index: int) -> Mapping[str, TableShards]:
        """Returns the states of these rows by fbgemm's names; none of a table without rows here."""
