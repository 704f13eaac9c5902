"""JSON objects, one per line, on object storage."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from raymon.sinks.json_lines.json_line import is_until, to_line
from raymon.sinks.json_lines.thinners import OldLines, Thinner
from raymon.sinks.thinning import Limit
from raymon.storage import ObjectLog, ObjectPath

_MOST_GATHERED = 10_000


class JsonLinesParts:
    """Many lines, as a directory of parts; each flush writes one part.

    Args:
        path: Directory of the parts.
        max_bytes: Size above which lines that are older than a day, by their `time`, are thinned.
        clock: Time in seconds since 1970.
        thinner: Makes lines fewer, or shorter, in another way; None for that one.
    """

    def __init__(
        self,
        path: ObjectPath,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
        thinner: Thinner | None = None,
    ) -> None:
        self._limit = Limit(max_bytes)
        self._thinner = thinner or OldLines(clock)
        self._parts = ObjectLog(path, lambda data: data.splitlines(keepends=True))
        self._gathered: list[bytes] = []

    def append(self, record: Mapping[str, Any]) -> None:
        """Gathers a line.

        Raises:
            OSError: No more lines can be gathered, and the storage takes none.
        """
        if len(self._gathered) >= _MOST_GATHERED:
            self.flush()
        self._gathered.append(to_line(record))

    def flush(self) -> None:
        """Writes the lines that were gathered.

        Raises:
            OSError: They are not written; they are kept, and written by the next call.
        """
        if self._gathered:
            self._parts.append(self._gathered)
            self._gathered = []
            self._thin()

    def read(self) -> list[bytes]:
        """Returns all lines.

        Raises:
            OSError: They cannot be read, or those that were gathered cannot be written.
        """
        self.flush()
        return self._parts.read()

    def roll_back(self, step: int) -> None:
        """Removes the lines after `step`.

        Raises:
            OSError: They are not all removed.
        """
        # Flushed first, because the lines of a write that failed may have arrived nevertheless.
        self.flush()
        lines = self._parts.read()
        kept = next((i for i, line in enumerate(lines) if not is_until(line, step)), len(lines))
        if kept < len(lines):
            self._parts.cut(kept)

    def _thin(self) -> None:
        if not self._limit.is_passed(self._parts.size):
            return
        # Lines that cannot be thinned now are, once the log has grown further.
        self._limit.thinned_to(self._parts.size)
        with suppress(OSError):
            lines = self._parts.read()
            self._parts.replace(self._thinner(lines, self._limit.target))
            self._limit.thinned_to(self._parts.size)


class JsonLinesObject:
    """Few lines, as one object, which is written again with every line.

    Args:
        path: Path of the object.
    """

    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        self._lines: list[bytes] | None = None

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one line.

        Raises:
            OSError: It is not written.
        """
        self._write([*self._read(), to_line(record)])

    def roll_back(self, step: int) -> None:
        """Removes the lines after `step`.

        Raises:
            OSError: None is removed.
        """
        lines = self._read()
        kept = [line for line in lines if is_until(line, step)]
        if len(kept) < len(lines):
            self._write(kept)

    def _read(self) -> list[bytes]:
        if self._lines is None:
            there = self._path.exists()
            self._lines = self._path.read_bytes().splitlines(keepends=True) if there else []
        return self._lines

    def _write(self, lines: list[bytes]) -> None:
        self._path.write_bytes(b"".join(lines))
        self._lines = lines
