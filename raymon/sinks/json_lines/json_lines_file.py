"""JSON objects, one per line, in a file on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from raymon.errors import os_reason
from raymon.sinks.json_lines.atomic_append import append_whole, cut_torn_line
from raymon.sinks.json_lines.json_line import is_until, to_line
from raymon.sinks.json_lines.thinners import OldLines, Thinner
from raymon.sinks.thinning import Limit


class JsonLinesFile:
    """A file of JSON objects with a `global_step`, written line by line.

    Args:
        path: Path of the file; its directory is made with the first line.
        max_bytes: Size above which lines that are older than a day, by their `time`, are thinned;
            None for no limit.
        clock: Time in seconds since 1970.
        thinner: Makes lines fewer, or shorter, in another way; None for that one.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int | None = None,
        clock: Callable[[], float] = time.time,
        thinner: Thinner | None = None,
    ) -> None:
        self._path = path
        self._thinner = thinner or OldLines(clock)
        self._limit = None if max_bytes is None else Limit(max_bytes)
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
        elif self._limit is not None and self._limit.is_passed(self._size):
            self._thin(self._limit)
        self._size = append_whole(self._path, line)

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        taken, self._notices = self._notices, []
        return taken

    def read(self) -> list[bytes]:
        """Returns all lines.

        Raises:
            OSError: They cannot be read.
        """
        return self._path.read_bytes().splitlines() if self._path.exists() else []

    def roll_back(self, step: int) -> None:
        """Removes the lines after `step`, and any that is incomplete.

        Raises:
            OSError: The file is unchanged.
        """
        if not self._path.exists():
            return
        lines = self._path.read_bytes().splitlines()
        self._replace(b"".join(line + b"\n" for line in lines if is_until(line, step)))

    def _thin(self, limit: Limit) -> None:
        try:
            lines = self._path.read_bytes().splitlines(keepends=True)
            kept = b"".join(self._thinner(lines, limit.target))
            limit.thinned_to(len(kept))
            self._replace(kept)
        except OSError as error:
            # No line is lost, and the next one is written all the same.
            self._notices.append(f"{self._path}: old lines are not thinned: {os_reason(error)}")

    def _replace(self, kept: bytes) -> None:
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
