"""Which rows of an epoch go to which rank and step. Pure arithmetic: no rank asks another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    """Where a run is in its data.

    Attributes:
        epoch: from 0.
        step: within the epoch, from 0; the next one to train.
    """

    epoch: int
    step: int


@dataclass(frozen=True)
class EpochPlan:
    """How an epoch is cut into steps, equally many on all ranks.

    Rank r owns rows [r * rows // world_size, (r + 1) * rows // world_size). Its batches are full
    ones and then the rest. No batch is ever empty: a rank whose rows would be used up before the
    last step moves one row of its last full batch to it. (With a batch_size of 1 there is none to
    move; the last batch of the ranks with one row more has two rows then.)

    Attributes:
        rows: of the data set.
        world_size: number of ranks.
        batch_size: rows a step of a rank.
        drop_remainder: only full batches; what is left of a rank's rows is left out.

    Raises:
        ValueError: there would be no step, or a step without rows on some rank.
    """

    rows: int
    world_size: int
    batch_size: int
    drop_remainder: bool = False

    def __post_init__(self) -> None:
        if self.rows < self.world_size:
            raise ValueError(
                f"{self.rows} rows are fewer than {self.world_size} workers; "
                "every worker needs at least one"
            )
        if self.steps == 0:
            raise ValueError(
                f"{self.rows} rows on {self.world_size} workers fill no batch of "
                f"{self.batch_size}; make batch_size smaller or turn drop_remainder off"
            )

    @property
    def steps(self) -> int:
        """Steps of an epoch, on every rank."""
        shortest = self.rows // self.world_size
        if self.drop_remainder:
            return shortest // self.batch_size
        longest = -(-self.rows // self.world_size)
        return min(-(-longest // self.batch_size), shortest)

    def first_row(self, rank: int) -> int:
        """The first row of the data set that `rank` owns; of `world_size`: `rows`."""
        return rank * self.rows // self.world_size

    def rank_rows(self, rank: int) -> int:
        """How many rows `rank` owns."""
        return self.first_row(rank + 1) - self.first_row(rank)

    def begin(self, rank: int, step: int) -> int:
        """Where `step` begins in the rows of `rank`; of `steps`: where the last step ends."""
        return self._begin(self.rank_rows(rank), step)

    def rows_at(self, step: int) -> int:
        """Rows of the global batch of `step`, of all ranks together.

        Raises:
            IndexError: an epoch has no such step.
        """
        if not 0 <= step < self.steps:
            raise IndexError(f"step {step} is not in [0, {self.steps})")
        shorter, longer_ranks = divmod(self.rows, self.world_size)
        short, long = (
            self._begin(n, step + 1) - self._begin(n, step) for n in (shorter, shorter + 1)
        )
        return (self.world_size - longer_ranks) * short + longer_ranks * long

    def _begin(self, rank_rows: int, step: int) -> int:
        full = step * self.batch_size
        if self.drop_remainder:
            return full
        if step == self.steps:
            return rank_rows
        # Every step from here on keeps at least one row.
        return min(full, rank_rows - (self.steps - step))
