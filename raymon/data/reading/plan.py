"""Which rows of an epoch belong to which step. Pure arithmetic: no rank asks another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Position:
    """A position of a run in its data.

    Attributes:
        epoch: Epoch, from 0.
        row: Rows of the epoch that were trained on, of all ranks together.
        streams: Number of streams that the rows of the epoch are split into.
    """

    epoch: int
    row: int
    streams: int = 0


@dataclass(frozen=True)
class EpochPlan:
    """The plan by which the streams of an epoch are cut into global batches.

    A global batch takes evenly from all streams, so that they end together: row i of a stream of L
    rows has its place at (i + 1/2) / L of the epoch, and a global batch is the next
    `global_batch_size` rows by their places, those of an earlier stream first if places are equal.

    Attributes:
        lengths: Rows of each stream.
        global_batch_size: Rows of a step, of all ranks together.
        drop_remainder: Whether the last batch is left out if it is not full.
        min_rows: Rows that the last batch has at least; with fewer it is left out too.

    Raises:
        ValueError: There would be no step.
    """

    lengths: tuple[int, ...]
    global_batch_size: int
    drop_remainder: bool = False
    min_rows: int = 0

    def __post_init__(self) -> None:
        if self.steps_from(0) == 0:
            raise ValueError(
                f"{self.rows} rows fill no batch of {self.global_batch_size}; make it smaller or "
                "turn drop_remainder and min_batch_size off"
            )

    @property
    def rows(self) -> int:
        """The number of rows of all streams."""
        return sum(self.lengths)

    @property
    def left_over(self) -> int:
        """The number of rows, of an epoch read from its first row, that are in no batch."""
        rest = self.rows % self.global_batch_size
        return 0 if self._keeps(rest) else rest

    def steps_from(self, row: int) -> int:
        """Returns the number of steps left in the epoch after its first `row` rows."""
        left = self.rows - row
        full, rest = divmod(left, self.global_batch_size)
        return full + self._keeps(rest)

    def _keeps(self, rest: int) -> bool:
        """Whether rows that fill no batch are a batch of their own."""
        return rest >= max(1, self.min_rows) and not self.drop_remainder

    def rows_at(self, row: int) -> int:
        """Returns the number of rows of the global batch that begins after `row` rows."""
        return min(self.global_batch_size, self.rows - row)

    def taken(self, row: int) -> Counts:
        """Returns how many of the first `row` rows each stream has: int64 `[streams]`."""
        lengths = np.array(self.lengths, np.int64)
        if row >= self.rows:
            return lengths
        guess = np.floor(lengths * (row / self.rows) + 0.5).astype(np.int64)
        taken: Counts = np.minimum(guess, lengths)
        while True:
            # The guess is off by rounding; it is corrected row by row until it is right.
            more = row - int(taken.sum())
            after = _places(lengths, taken)
            before = _places(lengths, taken - 1)
            first_out = int(np.argmin(after))
            last_in = len(before) - 1 - int(np.argmax(before[::-1]))
            in_order = (before[last_in], last_in) < (after[first_out], first_out)
            if more == 0 and in_order:
                return taken
            if more >= 0:
                taken[first_out] += 1
            if more <= 0:
                taken[last_in] -= 1


def _places(lengths: Counts, rows: Counts) -> npt.NDArray[np.float64]:
    # A row that a stream does not have is before or after all others.
    with np.errstate(divide="ignore", invalid="ignore"):
        places: npt.NDArray[np.float64] = (rows + 0.5) / lengths
    places[rows < 0] = -np.inf
    places[rows >= lengths] = np.inf
    return places
