"""Writers of windows into JSON lines: raymon's sink, plain json, and Python's logging.

All of them pass each line to the system before they go on to the next. python-json-logger is the
formatter of a handler, and gets the fields as `extra`, as its documentation shows.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter

from benchmarks.contenders.event_writers import Write, snapshot
from raymon.sinks import WindowLines

FILE = Path("monitor") / "windows.jsonl"


def lines(windows: int) -> dict[str, Write]:
    """Returns the writers of `windows` windows, by contender."""

    def raymon(directory: Path) -> None:
        sink = WindowLines(directory)
        for step in range(windows):
            sink.write(snapshot(step))
        sink.close()

    return {
        "raymon": raymon,
        "json, a file opened once, flushed at each line": _to_file(windows, _plain),
        "logging with python-json-logger": _to_file(windows, _logging),
    }


def lines_in(directory: Path) -> int:
    """Returns the number of lines in a directory; each must be whole."""
    return sum(1 for line in (directory / FILE).read_text().splitlines() if json.loads(line))


def _to_file(windows: int, write: Callable[[Path, int], None]) -> Write:
    def to_directory(directory: Path) -> None:
        path = directory / FILE
        path.parent.mkdir(parents=True)
        write(path, windows)

    return to_directory


def _plain(path: Path, windows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for step in range(windows):
            file.write(json.dumps(snapshot(step).to_json()) + "\n")
            file.flush()


def _logging(path: Path, windows: int) -> None:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("windows")
    logger.addHandler(handler)
    for step in range(windows):
        logger.info("window", extra=snapshot(step).to_json())
    handler.close()
