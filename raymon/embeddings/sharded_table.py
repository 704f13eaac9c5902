"""A table whose rows are spread over workers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.data import EmbeddingSpec, IdList
from raymon.embeddings.initial_values import initial_rows
from raymon.embeddings.table_shards import TableShards


class ShardedTable(nn.Module):
    """A table of which this worker holds a part; lookups go through its collection.

    Args:
        spec: The table.

    Attributes:
        spec: The table.
        shards: What this worker holds of it; None until an engine has placed it.
    """

    def __init__(self, spec: EmbeddingSpec) -> None:
        super().__init__()
        self.spec = spec
        self.shards: TableShards | None = None

    def initial_rows(self, count: int, generator: torch.Generator) -> Tensor:
        """Returns initial values of so many rows, `[count, dim]`, on the CPU."""
        shape = (self.spec.num_embeddings, self.spec.dim)
        return initial_rows(count, shape, self.spec.init_fn, generator)

    def forward(self, ids: IdList, pooling: str) -> Tensor:
        """Raises, since no worker has all rows.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(
            f"the table {self.spec.name} is sharded; call its EmbeddingCollection with a batch"
        )
