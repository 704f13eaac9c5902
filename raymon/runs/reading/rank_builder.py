"""The numbers of single ranks, of which as many are kept as memory allows."""

from __future__ import annotations

from raymon.runs.rank_line import RankLine
from raymon.runs.reading.piece import Piece
from raymon.runs.reading.rank_lines import rank_lines_of

MOST_BYTES = 64 << 20
"""Bytes of the numbers of all lines, above which older lines are thinned."""


class RankBuilder:
    """The lines so far with numbers of ranks.

    Above `MOST_BYTES`, which are 800 lines of 1,000 ranks with 20 numbers, every second line of the
    older half is left out, so that the oldest are the sparsest.

    Args:
        most_bytes: Limit of the bytes of their numbers.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        # Places of the lines in the file, and the lines.
        self._lines: list[tuple[int, RankLine]] = []
        self._count = 0

    def take(self, piece: Piece) -> None:
        """Takes back the lines that are gone, and adds those that follow."""
        while self._lines and self._lines[-1][0] >= piece.kept:
            self._bytes -= self._lines.pop()[1].numbers.values.nbytes
        self._count = min(self._count, piece.kept)
        if not piece.data:
            return
        for place, line in rank_lines_of(piece.data, piece.lines):
            self._lines.append((self._count + place, line))
            self._bytes += line.numbers.values.nbytes
            if self._bytes > self._most_bytes:
                self._thin()
        self._count += piece.lines

    def value(self) -> tuple[RankLine, ...]:
        """Returns the lines, the oldest first."""
        return tuple(line for _, line in self._lines)

    def _thin(self) -> None:
        half = len(self._lines) // 2
        self._lines = self._lines[:half:2] + self._lines[half:]
        self._bytes = sum(line.numbers.values.nbytes for _, line in self._lines)
