"""The log file of a process of a run, and what else its lines go to."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from raymon.log.background import BackgroundHandler
from raymon.log.context import log_context, set_log_context
from raymon.log.rotated_file import RotatedFile
from raymon.log.set_up import formatter_of, is_set_up_by_others, own_handlers

_FINISH_S = 2.0
"""Seconds that the last lines have at the end of a process."""


@dataclass(frozen=True)
class LogFiles:
    """The log files of a run; it travels to the processes that write them.

    Attributes:
        directory: Directory of the files.
        run: Name of the run, a field of every line.
        level: Lowest level of the lines.
        log_format: "text", or "json" for one object a line.
        max_bytes: Size at which a file is rotated.
        max_age_s: Seconds after which a file is rotated.
        keep: Number of old files that each process keeps.
    """

    directory: Path
    run: str
    level: int = logging.INFO
    log_format: str = "json"
    max_bytes: int = 64 << 20
    max_age_s: float = 86400.0
    keep: int = 7

    def handler(self, process: str) -> logging.Handler:
        """Returns the handler of the file of a process, such as "driver" or "rank-3"."""
        path = self.directory / f"{process}.log"
        handler = RotatedFile(path, self.max_bytes, self.max_age_s, self.keep)
        handler.setFormatter(formatter_of(self.log_format))
        handler.setLevel(self.level)
        return BackgroundHandler(str(path), handler)


class ProcessLog:
    """Sends the lines of a process to its log file, and to further handlers, while it is open.

    Args:
        process: The process, such as "driver" or "rank-3"; a field of every line.
        files: The log files of the run; None for none.
        more: Further handlers by what they write to, which work in the background too.
    """

    def __init__(
        self,
        process: str,
        files: LogFiles | None,
        more: Sequence[tuple[str, logging.Handler]] = (),
    ) -> None:
        self._process = process
        self._files = files
        self._more = more
        self._handlers: list[logging.Handler] = []
        self._before: tuple[int, dict[str, Any]] = (logging.NOTSET, {})

    def __enter__(self) -> ProcessLog:
        logger = logging.getLogger("raymon")
        self._before = logger.level, log_context()
        is_ours = not is_set_up_by_others()
        run = None if self._files is None else self._files.run
        set_log_context(run=run, process=self._process, host=socket.gethostname(), pid=os.getpid())
        if self._files is not None:
            self._handlers.append(self._files.handler(self._process))
        self._handlers += [BackgroundHandler(name, handler) for name, handler in self._more]
        for handler in self._handlers:
            logger.addHandler(handler)
            if is_ours and 0 < handler.level < logger.level:
                # The handler of the terminal has a level too. Those of others may have none.
                logger.setLevel(handler.level)
        _open.extend(self._handlers)
        own_handlers.extend(self._handlers)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        logger = logging.getLogger("raymon")
        level, context = self._before
        for handler in self._handlers:
            logger.removeHandler(handler)
            _open.remove(handler)
            own_handlers.remove(handler)
        for handler in self._handlers:
            if isinstance(handler, BackgroundHandler):
                handler.finish(_FINISH_S)
        logger.setLevel(level)
        set_log_context(**(dict.fromkeys(log_context()) | context))


_open: list[logging.Handler] = []
"""The handlers of the files of this process."""


def log_to_files(level: int, text: str, error: BaseException | None = None, **fields: Any) -> None:
    """Logs a line to log files and further handlers alone: a person who watches has it already.

    Args:
        level: Level of the line.
        text: The line.
        error: What went wrong, whose traceback is logged too; None if nothing did.
        fields: Fields of the line in JSON.
    """
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.getLogger("raymon").makeRecord(
        "raymon", level, __file__, 0, "%s", (text,), exc_info
    )
    # Those of Python stay what they are, whatever fields may be called.
    vars(record).update({name: value for name, value in fields.items() if name not in vars(record)})
    for handler in list(_open):
        if level >= handler.level:
            handler.handle(record)
