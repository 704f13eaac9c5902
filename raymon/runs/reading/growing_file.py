"""A file of lines on a disk, of which only what is new is read."""

from __future__ import annotations

import os
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from raymon.runs.reading.piece import Piece
from raymon.storage import open_file

PIECE_BYTES = 2 << 20
"""Bytes of a piece, about; one line may be longer."""

_LONGEST_LINE = 256 << 20
_TAIL_BYTES = 4096
"""Bytes before the end of what was read that tell a file that grew from another one."""

Signature = tuple[int, int, int, int]
"""Device, inode, size and time of modification of a file."""


def signature_of(found: os.stat_result) -> Signature:
    """Returns what changes whenever a file is written or replaced."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@dataclass(frozen=True)
class _Block:
    """Lines that were read: where they end, how many lines there are until then, their CRC-32."""

    end: int
    lines: int
    crc: int


class GrowingFile:
    """A file of lines that others append to, roll back and thin.

    What was read is known by the CRC-32 of blocks of two megabytes. A file that is not the one that
    was read, or has become shorter, is parsed again from the first block that differs, and only
    compared until there. A line without its newline is not written to its end, and waits.

    Args:
        path: Path of the file, which may be missing.
        piece_bytes: Bytes of a piece, about.
    """

    def __init__(self, path: Path, piece_bytes: int = PIECE_BYTES) -> None:
        self._path = path
        self._piece_bytes = piece_bytes
        self._blocks: list[_Block] = []
        self._tail = b""
        self._signature: Signature | None = None
        self._file_id: tuple[int, int] | None = None

    def signature(self) -> Signature | None:
        """Returns what changes with the file; None if it is missing.

        Raises:
            OSError: It cannot be looked at.
        """
        try:
            return signature_of(os.stat(self._path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def pieces(self) -> Generator[Piece, None, None]:
        """Yields what is new, in pieces; a caller may stop after any, and go on with the next call.

        Raises:
            OSError: The file cannot be read.
        """
        now = self.signature()
        if now is not None and now == self._signature:
            return
        try:
            file = open_file(self._path)
        except (FileNotFoundError, NotADirectoryError):
            yield from self._cut_to(0)
            self._signature = self._file_id = None
            return
        with file:
            now = signature_of(os.fstat(file.fileno()))
            yield from self._cut_to(self._blocks_that_hold(file, now))
            self._file_id = now[:2]
            file.seek(self._end)
            while data := self._whole_lines(file):
                piece = Piece(self._lines, data, data.count(b"\n"))
                self._add(piece)
                yield piece
            self._signature = now

    @property
    def _end(self) -> int:
        return self._blocks[-1].end if self._blocks else 0

    @property
    def _lines(self) -> int:
        return self._blocks[-1].lines if self._blocks else 0

    def _blocks_that_hold(self, file: BinaryIO, now: Signature) -> int:
        if now[:2] == self._file_id and now[2] >= self._end:
            file.seek(self._end - len(self._tail))
            if file.read(len(self._tail)) == self._tail:
                return len(self._blocks)
        file.seek(0)
        begin = 0
        for number, block in enumerate(self._blocks):
            if zlib.crc32(file.read(block.end - begin)) != block.crc:
                return number
            begin = block.end
        return len(self._blocks)

    def _cut_to(self, count: int) -> Iterator[Piece]:
        if count < len(self._blocks):
            del self._blocks[count:]
            # What comes before is not at hand: the next look compares whole blocks.
            self._tail, self._file_id = b"", None
            yield Piece(self._lines)

    def _whole_lines(self, file: BinaryIO) -> bytes:
        """Returns the next lines, from the place of the file on, and leaves it after them."""
        begin = file.tell()
        data = file.read(self._piece_bytes)
        while (end := data.rfind(b"\n") + 1) == 0 and len(data) < _LONGEST_LINE:
            more = file.read(max(self._piece_bytes, len(data)))
            if not more:
                return b""
            data += more
        file.seek(begin + end)
        # Of a longer line, which is no JSON of ours, no more than that is read.
        return data[:end]

    def _add(self, piece: Piece) -> None:
        data = piece.data
        begin = self._blocks[-2].end if len(self._blocks) > 1 else 0
        crc = 0
        lines, end = self._lines + piece.lines, self._end + len(data)
        if self._blocks and self._end - begin < self._piece_bytes:
            crc = self._blocks.pop().crc
        self._blocks.append(_Block(end, lines, zlib.crc32(data, crc)))
        self._tail = (self._tail + data)[-_TAIL_BYTES:]
