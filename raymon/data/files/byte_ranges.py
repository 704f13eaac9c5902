"""Ranges of a file that are read before they are decoded."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
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


def page_in(path: str, ranges: Iterable[Range]) -> None:
    """Waits until the system has ranges of a local file in its memory, and copies none of it.

    Args:
        path: Path of the file. If it cannot be read so, nothing is done: who decodes it will wait.
        ranges: Ranges to read.
    """
    with (
        suppress(OSError),
        open(path, "rb", buffering=0) as source,
        open(os.devnull, "wb", buffering=0) as nowhere,
    ):
        for begin, end in ranges:
            done = begin
            while done < end:
                count = os.sendfile(nowhere.fileno(), source.fileno(), done, end - done)
                if not count:
                    return
                done += count
