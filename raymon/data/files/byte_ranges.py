"""Ranges of a file that are read at once, and look like the file to who decodes them."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

Range = tuple[int, int]
"""The first byte, and the byte after the last one."""


def joined(ranges: Iterable[Range], hole: int) -> list[Range]:
    """Returns the ranges in order; those that are at most `hole` bytes apart become one."""
    found: list[Range] = []
    for begin, end in sorted(ranges):
        if found and begin - found[-1][1] <= hole:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def fetch_ranges(source: Any, size: int, ranges: Iterable[Range]) -> pa.NativeFile | None:
    """Returns ranges of a file in memory, each at its place in the file.

    The memory between them is never touched, so that it takes none.

    Args:
        source: `pyarrow.NativeFile` with random access.
        size: Bytes of the file.
        ranges: Ranges to read.

    Returns:
        The file, which has nothing else; None if the system gives no room for its addresses.
    """
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    try:
        memory = mmap.mmap(-1, size, flags=flags)
    except (OSError, ValueError):
        return None
    view = memoryview(memory)
    for begin, end in ranges:
        source.seek(begin)
        done = begin
        while done < end:
            count = source.readinto(view[done:end])
            if not count:
                raise EOFError(f"it ends at byte {done}, in the midst of a column")
            done += count
    return pa.BufferReader(pa.py_buffer(memory))
