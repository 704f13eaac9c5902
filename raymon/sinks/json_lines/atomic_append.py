"""Appends to files that are done as a whole, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_CHUNK_BYTES = 4096


def append_whole(path: Path, data: bytes) -> int:
    """Adds `data` at the end of a file, which is made with its directory if it is missing.

    Returns:
        Size of the file, in bytes.

    Raises:
        OSError: Nothing was added.
    """
    try:
        file = path.open("ab")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    try:
        with file:
            size = file.tell()
            file.write(data)
    except OSError:
        # The file is closed: nothing from its buffer can be written after this.
        with suppress(OSError):
            os.truncate(path, size)
        raise
    return size + len(data)


def cut_torn_line(path: Path) -> None:
    """Cuts off what follows the last newline of a file: a line that was not written to its end.

    Raises:
        OSError: The file could not be read or cut.
    """
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = whole = file.seek(0, os.SEEK_END)
        while whole > 0:
            start = max(0, whole - _CHUNK_BYTES)
            file.seek(start)
            newline = file.read(whole - start).rfind(b"\n")
            whole = start + newline + 1
            if newline >= 0:
                break
        if whole < size:
            file.truncate(whole)
