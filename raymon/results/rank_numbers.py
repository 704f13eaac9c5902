"""Numbers of each rank over some steps, such as the seconds of its phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raymon.protos import report_pb2 as messages

HOST_BYTES, DEVICE_BYTES = "host_bytes", "device_bytes"
HOST_FREE_BYTES, DEVICE_FREE_BYTES = "host_free_bytes", "device_free_bytes"
OPEN_FILES, OPEN_FILES_FREE = "open_files", "open_files_free"
MODEL_DIR_FREE_BYTES = "model_dir_free_bytes"

LEVELS = (
    HOST_BYTES,
    DEVICE_BYTES,
    HOST_FREE_BYTES,
    DEVICE_FREE_BYTES,
    OPEN_FILES,
    OPEN_FILES_FREE,
    MODEL_DIR_FREE_BYTES,
)
"""Names of numbers that are levels: over several windows the newest counts, the others add up."""

_DTYPE = np.dtype("<f4")


@dataclass(frozen=True, eq=False)
class RankNumbers:
    """Numbers of each rank over the same steps.

    Attributes:
        names: Names of the N numbers: phases, in seconds, or others such as `host_bytes`.
        ranks: The R ranks; of several sets that were joined, in ascending order.
        values: Numbers, float32 `[R, N]`; NaN where a rank has none.
    """

    names: tuple[str, ...]
    ranks: tuple[int, ...]
    values: NDArray[np.float32]

    def column(self, name: str) -> NDArray[np.float32]:
        """Returns a number of all ranks, float32 `[R]`; NaN if there is none of that name."""
        if name in self.names:
            return self.values[:, self.names.index(name)]
        return np.full(len(self.ranks), np.nan, np.float32)

    @classmethod
    def joined(cls, parts: Sequence[RankNumbers]) -> RankNumbers | None:
        """Returns the numbers of several sets of ranks; None if there is none."""
        if len(parts) < 2:
            return next(iter(parts), None)
        names = parts[0].names
        if any(part.names != names for part in parts):
            names = tuple(dict.fromkeys(name for part in parts for name in part.names))
        ranks = np.concatenate([np.array(part.ranks, np.int64) for part in parts])
        values = np.concatenate([part._as(names) for part in parts])
        order = np.argsort(ranks, kind="stable")
        return cls(names, tuple(ranks[order].tolist()), values[order])

    @classmethod
    def summed(cls, earlier: RankNumbers | None, later: RankNumbers | None) -> RankNumbers | None:
        """Returns the numbers of steps and of later ones: sums, and the newest levels.

        Args:
            earlier: Numbers of the first steps; None if there are none.
            later: Numbers of the steps that follow, maybe of other ranks; None if there are none.
        """
        return later if earlier is None else earlier if later is None else earlier._plus(later)

    def _plus(self, later: RankNumbers) -> RankNumbers:
        names = tuple(dict.fromkeys((*self.names, *later.names)))
        if self.ranks == later.ranks:
            ranks, before, after = self.ranks, self._as(names), later._as(names)
        else:
            ranks = tuple(sorted({*self.ranks, *later.ranks}))
            before, after = self._of(ranks, names), later._of(ranks, names)
        is_level = np.array([name in LEVELS for name in names])
        values = np.where(is_level | np.isnan(before), after, before + after)
        return RankNumbers(names, ranks, np.where(np.isnan(after), before, values))

    def only(self, ranks: Sequence[int]) -> RankNumbers:
        """Returns the numbers of some ranks, in their order."""
        return RankNumbers(self.names, tuple(ranks), self._of(ranks, self.names))

    def to_message(self) -> messages.RankNumbers:
        """Returns the message that `from_message` reads."""
        return messages.RankNumbers(
            names=self.names, ranks=self.ranks, values=self.values.astype(_DTYPE).tobytes()
        )

    @classmethod
    def of_rank(cls, rank: int, numbers: dict[str, float]) -> RankNumbers:
        """Returns the numbers of one rank, by name."""
        return cls(tuple(numbers), (rank,), np.array([list(numbers.values())], np.float32))

    @classmethod
    def from_message(cls, message: messages.RankNumbers) -> RankNumbers:
        """Returns the numbers of a message.

        Raises:
            ValueError: There are not as many values as ranks and names say.
        """
        names, ranks = tuple(message.names), tuple(message.ranks)
        values = np.frombuffer(message.values, _DTYPE).astype(np.float32)
        return cls(names, ranks, values.reshape(len(ranks), len(names)))

    @classmethod
    def of_json(cls, ranks: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> RankNumbers:
        """Returns the numbers of a line of `monitor/ranks.jsonl`.

        Args:
            ranks: The R ranks.
            columns: For each name the R numbers; null, where a rank has none, is NaN.

        Raises:
            TypeError, ValueError: There are not as many values as ranks, or they are no numbers.
        """
        values = np.array(list(columns.values()), np.float32).reshape(len(columns), -1).T
        if len(values) != len(ranks):
            raise ValueError(f"{len(values)} values of {len(ranks)} ranks")
        return cls(tuple(map(str, columns)), tuple(int(rank) for rank in ranks), values)

    def _of(self, ranks: Sequence[int], names: Sequence[str]) -> NDArray[np.float32]:
        """Returns the numbers of ranks, float32 `[R, N]`; NaN for those that have none."""
        place = {rank: i for i, rank in enumerate(self.ranks)}
        known = [i for i, rank in enumerate(ranks) if rank in place]
        values = np.full((len(ranks), len(names)), np.nan, np.float32)
        values[known] = self._as(names)[[place[ranks[i]] for i in known]]
        return values

    def _as(self, names: Sequence[str]) -> NDArray[np.float32]:
        if names is self.names or tuple(names) == self.names:
            return self.values
        return np.stack([self.column(name) for name in names], axis=1)
