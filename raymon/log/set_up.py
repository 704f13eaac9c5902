"""The log lines of a process on its standard error or its terminal."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from raymon.log.json_formatter import JsonFormatter
from raymon.log.levels import format_of, is_level_given, level_of
from raymon.safe_stream import SafeStream

LINE, CLOCK = "%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"
"""A line of text, and the time in it."""

own_handlers: list[logging.Handler] = []
"""The handlers of log lines that raymon set up, and not the program that it is part of."""


def set_up_logging(
    level: str = "INFO",
    log_format: str = "text",
    *,
    stream: TextIO | None = None,
    handler: logging.Handler | None = None,
) -> None:
    """Sends the log lines of raymon to a stream, and nowhere else.

    Args:
        level: One of `LEVELS`; see `level_of` for what takes precedence.
        log_format: "text", or "json" for one object a line; see `format_of`.
        stream: The stream; standard error by default.
        handler: Handler of text lines in place of the stream, to keep them off a live line.

    Raises:
        ConfigError: A variable of the environment has a value that is not known.
    """
    level, log_format = level_of(level), format_of(log_format)
    if handler is None or log_format == "json":
        handler = logging.StreamHandler(SafeStream(stream or sys.stderr))
        handler.setFormatter(formatter_of(log_format, CLOCK))
    handler.setLevel(level)
    logger = logging.getLogger("raymon")
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False
    own_handlers[:] = [handler]


def is_set_up_by_others(own_process: bool = True) -> bool:
    """Returns whether the program that raymon is part of has log handlers for its lines already.

    Args:
        own_process: False if the handlers of the process are not the user's, as in a worker.
    """
    logger = logging.getLogger("raymon")
    if any(handler not in own_handlers for handler in logger.handlers):
        return True
    return own_process and logger.propagate and bool(logging.root.handlers)


def use_level(level: str) -> None:
    """Makes handlers of others show log lines from a level on, unless they have chosen one.

    Raises:
        ConfigError: RAYMON_LOG_LEVEL has a value that is not known.
    """
    logger = logging.getLogger("raymon")
    chosen = level_of(level)
    if logger.level == logging.NOTSET or is_level_given():
        logger.setLevel(chosen)


def formatter_of(log_format: str, clock: str | None = None) -> logging.Formatter:
    """Returns the formatter of log lines.

    Args:
        log_format: "text", or "json".
        clock: Form of the time in text; None for date, time and milliseconds.
    """
    return JsonFormatter() if log_format == "json" else logging.Formatter(LINE, datefmt=clock)
