"""A file of one JSON object a line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raymon.sinks.json_lines.json_line import is_until, to_line
from raymon.sinks.json_lines.whole_append import append_whole, cut_torn_line


class JsonLinesFile:
    """A file of JSON objects with a `global_step`, one a line, written line by line.

    Args:
        path: The file; its directory is made when the first line comes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._notices: list[str] = []
        self._size: int | None = None
        """That the file had after the last line, in bytes."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one line. NaN and infinities become null, which every JSON reader takes.

        Half a line that a process left behind when it was killed is cut off first.

        Raises:
            OSError: Nothing was written.
        """
        line = to_line(record)
        # Of the same size as before, it ends with the line that was written then.
        if self._size is None or not self._has(self._size):
            if self._size and not self._path.exists():
                self._notices.append(
                    f"{self._path} was deleted and is made again, without its lines"
                )
            cut_torn_line(self._path)
        self._size = append_whole(self._path, line)

    def take_notices(self) -> list[str]:
        """What is to be told since the call before."""
        taken, self._notices = self._notices, []
        return taken

    def roll_back(self, step: int) -> None:
        """Drops the lines after `step`, and any that is only half written.

        Raises:
            OSError: The file is as it was.
        """
        if not self._path.exists():
            return
        lines = self._path.read_bytes().splitlines()
        kept = b"".join(line + b"\n" for line in lines if is_until(line, step))
        replacement = self._path.with_name(self._path.name + ".new")
        try:
            replacement.write_bytes(kept)
            os.replace(replacement, self._path)
        except OSError:
            # What is left of it would take room where there is none.
            replacement.unlink(missing_ok=True)
            raise

    def flush(self) -> None:
        """Every line is written already."""

    def _has(self, size: int) -> bool:
        try:
            return self._path.stat().st_size == size
        except FileNotFoundError:
            return False
