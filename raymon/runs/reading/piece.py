"""What became of a file of lines since it was last read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """Lines that follow those that stay as they were.

    Attributes:
        kept: Number of the first lines that still hold; those after them are gone.
        data: Bytes of the lines that follow, each with its newline; none if nothing follows.
        lines: Number of lines in `data`.
    """

    kept: int
    data: bytes = b""
    lines: int = 0
