"""The last lines of the log files of a run."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from raymon.errors import RunError, first_line, os_reason
from raymon.runs.reading.last_lines import last_lines
from raymon.runs.reading.line_numbers import parsed_line
from raymon.storage import StoragePath

_NAME = re.compile(r"[\w.-]+\.log(\.\d+)?")
_MOST_TEXT = 16_384
"""Characters of a line that are shown: one line of a log may be as long as it likes."""

_PLAIN = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\s+"
    r"\[?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\]?:?\s+(?P<text>.*)",
    re.DOTALL,
)
_OF_A_DAY = re.compile(
    r"(?:\d\d:\d\d:\d\d\s+)?"
    r"\[?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\]?:?\s+(?P<text>.*)",
    re.DOTALL,
)
"""A line with the time of a day, of which it does not say which, or with none."""


@dataclass(frozen=True)
class LogLine:
    """A line of a log.

    Attributes:
        time: Seconds since 1970, UTC; None if the line has none.
        level: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`; None if the line has none.
        text: Its message, or the whole line where that is not known.
    """

    time: float | None
    level: str | None
    text: str


def log_files(model_dir: StoragePath) -> list[str]:
    """Returns the names of the log files of a run, the newest part of each log first."""
    try:
        found = [path for path in (model_dir / "logs").iterdir() if _NAME.fullmatch(path.name)]
        names = [path.name for path in found if path.is_file() and not _is_link(path)]
    except (OSError, pa.ArrowException):
        return []
    return sorted(names, key=_order)


def log_tail(model_dir: StoragePath, name: str, lines: int) -> list[LogLine]:
    """Returns the last lines of a log file, at most 32 MB of them.

    Args:
        model_dir: Directory of the run.
        name: Name of the file, one of `log_files`.
        lines: Number of lines.

    Raises:
        RunError: There is no log file of that name, or it cannot be read.
    """
    # Only what is in the list is opened, so that no name leads out of the directory.
    if name not in log_files(model_dir):
        raise RunError(f"{model_dir}: has no log file {name!r}")
    try:
        found = last_lines(model_dir / "logs" / name, max(0, lines))
    except (OSError, pa.ArrowException) as error:
        why = os_reason(error) if isinstance(error, OSError) else first_line(error)
        raise RunError(f"{model_dir}: logs/{name} cannot be read: {why}") from None
    return [_log_line(line) for line in found]


def _is_link(path: StoragePath) -> bool:
    return isinstance(path, Path) and path.is_symlink()


def _order(name: str) -> tuple[int, str, int]:
    log, _, part = name.rpartition(".log")
    rank = {"driver": 0, "reporter": 1}.get(log, 2)
    number = re.search(r"\d+", log)
    return rank, f"{int(number[0]):09d}" if number else log, int(part[1:] or 0) if part else 0


def _log_line(line: bytes) -> LogLine:
    record = parsed_line(line) if line[:1] == b"{" else None
    if record is not None and "message" in record:
        text = str(record["message"])
        trace = record.get("exc_info")
        if trace:
            text += f"\n{trace}"
        return LogLine(_seconds(record.get("time")), _known(record.get("level")), text[:_MOST_TEXT])
    plain = line.decode(errors="replace").rstrip("\r")[:_MOST_TEXT]
    match = _PLAIN.match(plain) or _OF_A_DAY.match(plain)
    if match is None:
        return LogLine(None, None, plain)
    found = match.groupdict()
    return LogLine(_seconds(found.get("time")), found["level"], found["text"])


def _known(level: Any) -> str | None:
    return str(level) if level else None


def _seconds(value: Any) -> float | None:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    try:
        return datetime.fromisoformat(str(value).replace(",", ".")).timestamp()
    except (ValueError, OverflowError):
        return None
