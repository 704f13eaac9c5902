"""A log file that is rotated by size and by age."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path


class RotatedFile(RotatingFileHandler):
    """Writes lines to a file; a full or an old one becomes `NAME.1`, that `NAME.2`, and so on.

    A file has lines of one period alone: periods are counted from 1970, so that a process that is
    started again goes on in the same file. After a write that failed the file is opened anew.

    Args:
        path: Path of the file; it is made, with its directory, with the first line.
        max_bytes: Size at which it is rotated.
        max_age_s: Length of a period.
        keep: Number of old files that are kept, at least 1.
        clock: Time in seconds since 1970.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        max_age_s: float,
        keep: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=keep, encoding="utf-8", delay=True)
        self._path = path
        self._max_age_s = max_age_s
        self._clock = clock
        self._period: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a line, into a new file if the one there is full or old."""
        now = int(self._clock() // self._max_age_s)
        try:
            if self._period is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._period = self._period_on_disk(now)
            if now != self._period:
                self.doRollover()
            self._period = now
        except Exception:
            self.handleError(record)
            return
        super().emit(record)

    def flush(self) -> None:
        """Writes what is buffered; what cannot be written is given up, and the file closed."""
        try:
            super().flush()
        except OSError:
            # The rest of the line stays in the buffer, and would go before the next one.
            stream, self._period = self.stream, None
            self.stream = None
            if stream is not None:
                with suppress(OSError):
                    stream.close()
            raise

    def _open(self) -> io.TextIOWrapper:
        stream = super()._open()
        if not self._ends_a_line():
            stream.write("\n")
        return stream

    def _ends_a_line(self) -> bool:
        with self._path.open("rb") as file:
            if file.seek(0, io.SEEK_END) == 0:
                return True
            file.seek(-1, io.SEEK_END)
            return file.read(1) == b"\n"

    def _period_on_disk(self, now: int) -> int:
        try:
            return int(self._path.stat().st_mtime // self._max_age_s)
        except FileNotFoundError:
            return now
