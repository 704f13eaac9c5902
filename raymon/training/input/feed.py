"""The batches that a rank trains on, with what all ranks must know of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from raymon.data import Batch, DatasetPosition, InputCounts, Position


@dataclass(frozen=True)
class RunPosition:
    """Where a run is in its data.

    Attributes:
        shared: the same on all ranks.
        own: of this rank, where it reads a dataset.
    """

    shared: Position
    own: DatasetPosition | None = None


@dataclass(frozen=True)
class FedBatch:
    """A batch of this rank, and its place among the steps of all ranks.

    Steps whose gradients make up one step of the optimizer are a group. A group ends with its epoch
    and with the run, so that no gradient is left over; and a run goes on only between groups.

    Attributes:
        batch: of this rank; without rows where it has none in this step.
        group_rows: rows of all steps of the group, over all ranks.
        group_steps: steps of the group.
        ends_group: this is the last of them.
        ends_epoch: this is the last step of the epoch.
        after: the position behind it.
    """

    batch: Batch
    group_rows: int
    group_steps: int
    ends_group: bool
    ends_epoch: bool
    after: RunPosition


class Feed(Protocol):
    """Gives the batches of a run.

    Attributes:
        data: Which data this is, and in which order it is read.
        begin: Where a run begins.
        counts: What was wrong with the data and is only counted.
    """

    data: str
    begin: RunPosition
    counts: InputCounts

    def batches(self, step: int, position: RunPosition) -> Generator[FedBatch, None, None]:
        """The batches that are left of the run after `step` steps."""
