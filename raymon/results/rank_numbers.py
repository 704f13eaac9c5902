"""Numbers of each rank over some steps, such as the seconds of its phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raymon.protos import report_pb2 as messages

_DTYPE = np.dtype("<f4")


@dataclass(frozen=True, eq=False)
class RankNumbers:
    """Numbers of each rank over the same steps.

    Attributes:
        names: Names of the N numbers: phases, in seconds, or others such as `host_bytes`.
        ranks: The R ranks, in any order.
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
        names = tuple(dict.fromkeys(name for part in parts for name in part.names))
        ranks = tuple(rank for part in parts for rank in part.ranks)
        return cls(names, ranks, np.concatenate([part._as(names) for part in parts]))

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

    def _as(self, names: Sequence[str]) -> NDArray[np.float32]:
        if tuple(names) == self.names:
            return self.values
        return np.stack([self.column(name) for name in names], axis=1)
