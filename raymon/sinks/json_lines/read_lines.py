"""Reads the JSON objects that the sinks have written."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from raymon.storage import ObjectLog, StoragePath, open_file

MOST_BYTES = 8 << 20
"""Bytes of the newest lines that are read of a file, so that years of a run are no hindrance."""


def read_lines(path: StoragePath) -> list[dict[str, Any]]:
    """Returns the newest objects of a file of JSON lines, in order; lines that are none are left.

    Args:
        path: Path of the file; on object storage a directory of parts.

    Raises:
        OSError: It is there and cannot be read.
    """
    if isinstance(path, Path):
        lines = _tail(path)
    else:
        lines = ObjectLog(path, lambda data: data.splitlines(keepends=True)).read()
    found = []
    for line in lines:
        with suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict):
                found.append(record)
    return found


def _tail(path: Path) -> list[bytes]:
    try:
        with open_file(path) as file:
            file.seek(0, 2)
            begin = max(0, file.tell() - MOST_BYTES)
            file.seek(begin)
            # What is left of the line in whose middle it begins is no JSON.
            data: bytes = file.read()
            return data.splitlines()
    except FileNotFoundError:
        return []
