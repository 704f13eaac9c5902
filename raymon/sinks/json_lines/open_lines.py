"""Lines in a file on disk, or on object storage, which are thinned when they are many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from raymon.sinks.json_lines.json_lines_file import JsonLinesFile
from raymon.sinks.json_lines.json_lines_objects import JsonLinesParts
from raymon.sinks.json_lines.thinners import Thinner
from raymon.storage import StoragePath


def open_lines(
    path: StoragePath,
    max_bytes: int,
    clock: Callable[[], float],
    thinner: Thinner | None = None,
) -> JsonLinesFile | JsonLinesParts:
    """Returns a file of JSON lines; on object storage it is a directory.

    Args:
        path: Path of the file.
        max_bytes: Size above which lines that are older than a day are thinned.
        clock: Time in seconds since 1970.
        thinner: Makes lines fewer, or shorter, in another way; None for that one.
    """
    if isinstance(path, Path):
        return JsonLinesFile(path, max_bytes, clock, thinner)
    return JsonLinesParts(path, max_bytes, clock, thinner)
