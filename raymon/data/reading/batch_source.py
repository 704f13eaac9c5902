"""What makes a batch of rows, where it has more than the rows themselves."""

from __future__ import annotations

from typing import Protocol

from raymon.data.batch import Batch
from raymon.data.reading.packed_rows import PackedRows


class BatchSource(Protocol):
    """A maker of batches, as a sampler of negatives is one."""

    def batch(self, rows: PackedRows, epoch: int, row: int, rank: int) -> Batch:
        """Returns a batch of rows, a function of the arguments alone.

        Args:
            rows: Rows of the batch.
            epoch: Epoch, from 0.
            row: Rows of the epoch before the global batch.
            rank: Rank, or 0 on all ranks where these share a global batch.
        """
