"""Lines that are evenly spaced in a large file, for a first look."""

from __future__ import annotations

import os
from pathlib import Path

from raymon.runs.reading.piece import Piece
from raymon.storage import ObjectPath, StoragePath, open_file, read_part_name

_SMALL_BYTES = 4 << 20
"""Bytes of a file that is read as a whole as quickly."""

_READ_BYTES = 4096
_MOST_PARTS = 16


def sampled_lines(path: StoragePath, count: int) -> Piece | None:
    """Returns about `count` lines that are evenly spaced by bytes, and the newest.

    None if the file is so small, or is missing, that reading all of it is as quick.

    Args:
        path: Path of the file; on object storage of a directory of parts.
        count: Number of lines.

    Raises:
        OSError: It cannot be read.
    """
    if not isinstance(path, Path):
        lines = _of_parts(path, count)
    else:
        try:
            lines = _of_file(path, count)
        except (FileNotFoundError, NotADirectoryError):
            lines = None
    return None if lines is None else Piece(0, b"".join(lines), len(lines))


def _of_file(path: Path, count: int) -> list[bytes] | None:
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= _SMALL_BYTES:
            return None
        found: dict[int, bytes] = {}
        begin = -1
        for number in range(count):
            place = size * number // count
            if place <= begin:
                # Within a line that was passed, which may be a long one.
                continue
            begin, line = _line_after(file.fileno(), place)
            if not line:
                break
            found[begin] = line
        begin = max(found, default=0)
        # The newest line, which those above may have missed.
        file.seek(max(begin, size - _SMALL_BYTES // 4))
        newest = file.read().split(b"\n")[1:-1]
    lines = [found[begin] for begin in sorted(found)]
    if newest and [newest[-1] + b"\n"] != lines[-1:]:
        lines.append(newest[-1] + b"\n")
    return lines


def _line_after(file: int, place: int) -> tuple[int, bytes]:
    """Returns the first line that begins at a place or after it, and where it begins."""
    begin = max(0, place - 1)
    data, first = b"", -1 if place == 0 else None
    while True:
        # Twice as much each time, so that a long line takes no longer than its bytes.
        more = os.pread(file, max(_READ_BYTES, len(data)), begin + len(data))
        if not more:
            return 0, b""
        known = len(data)
        data += more
        if first is None:
            newline = data.find(b"\n", known)
            first, known = (newline, newline + 1) if newline >= 0 else (None, known)
        if first is not None:
            end = data.find(b"\n", max(known, first + 1))
            if end >= 0:
                return begin + first + 1, data[first + 1 : end + 1]


def _of_parts(path: ObjectPath, count: int) -> list[bytes] | None:
    states = path.states()
    parts = sorted((order, name) for name in states if (order := read_part_name(name)))
    if sum(state[0] for state in states.values() if state) <= _SMALL_BYTES:
        return None
    # Parts with an older generation may be replaced by newer ones: those that are read are a
    # series of firsts that grow.
    series = list[tuple[int, str]]()
    for (_, first), name in parts:
        while series and series[-1][0] >= first:
            series.pop()
        series.append((first, name))
    step = max(1, len(series) // _MOST_PARTS)
    names = [name for _, name in series[::-step]][::-1]
    lines = [line for name in names for line in (path / name).read_bytes().splitlines(True)]
    step = max(1, len(lines) // count)
    return lines[::-step][::-1]
