"""JSON objects, one per line, in a file on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raymon.sinks.json_lines.atomic_append import append_whole, cut_torn_line
from raymon.sinks.json_lines.json_line import is_until, to_line


class JsonLinesFile:
    """A file of JSON objects with a `global_step`, written line by line.

    Args:
        path: Path of the file; its directory is made with the first line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._notices: list[str] = []
        # Bytes of the file after the last line.
        self._size: int | None = None

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one line; NaN and infinities become null, which every JSON reader takes.

        An incomplete line, which a process left behind when it was killed, is cut off first.

        Raises:
            OSError: Nothing was written.
        """
        line = to_line(record)
        # A file of the same size as before ends with the line that was written then.
        if self._size is None or not self._has(self._size):
            if self._size and not self._path.exists():
                self._notices.append(
                    f"{self._path} was deleted and is made again, without its lines"
                )
            cut_torn_line(self._path)
        self._size = append_whole(self._path, line)

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        taken, self._notices = self._notices, []
        return taken

    def roll_back(self, step: int) -> None:
        """Removes the lines after `step`, and any that is incomplete.

        Raises:
            OSError: The file is unchanged.
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
            # The disk may be full, and what was written of the replacement takes space there.
            replacement.unlink(missing_ok=True)
            raise

    def flush(self) -> None:
        """Does nothing, since every line is written already."""

    def _has(self, size: int) -> bool:
        try:
            return self._path.stat().st_size == size
        except FileNotFoundError:
            return False
