"""The batches that a rank trains on, and where they are among the steps of all ranks."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from raymon.data import Batch, DatasetPosition, InputCounts, Position


@dataclass(frozen=True)
class RunPosition:
    """The position of a run in its data.

    Attributes:
        shared: Position that is the same on all ranks.
        own: Position of this rank in its dataset; None if it reads files.
    """

    shared: Position
    own: DatasetPosition | None = None


@dataclass(frozen=True)
class FedBatch:
    """A batch of this rank, and its place among the steps of all ranks.

    The steps whose gradients make up one step of the optimizer are a group. A group ends with its
    epoch and with the run, so that no gradient is left over; a run can only continue between
    groups.

    Attributes:
        batch: Batch of this rank; it has no rows if the rank has none left in this step.
        group_rows: Rows of all steps of the group, over all ranks.
        group_steps: Number of steps of the group.
        ends_group: Whether this is the last step of the group.
        ends_epoch: Whether this is the last step of the epoch.
        after: Position after this batch.
    """

    batch: Batch
    group_rows: int
    group_steps: int
    ends_group: bool
    ends_epoch: bool
    after: RunPosition


class Feed(Protocol):
    """Source of the batches of a run.

    Attributes:
        data: Fingerprint of the data and of the order in which it is read.
        begin: Position at which a run begins.
        counts: Defects of the data that are only counted.
    """

    data: str
    begin: RunPosition
    counts: InputCounts

    def batches(self, step: int, position: RunPosition) -> Generator[FedBatch, None, None]:
        """Yields the batches that are left of the run after `step` steps."""
