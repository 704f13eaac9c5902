"""What raymon says: Python's logging under the name `raymon`."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from raymon.errors import ConfigError
from raymon.lasting_stream import LastingStream

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORMATS = ("text", "json")

LEVEL_VARIABLE = "RAYMON_LOG_LEVEL"
FORMAT_VARIABLE = "RAYMON_LOG_FORMAT"

LINE, CLOCK = "%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"
"""A line of text, and the time in it."""

_own: list[logging.Handler] = []
"""The handler that raymon has set up last."""


def set_up_logging(
    level: str = "INFO",
    log_format: str = "text",
    *,
    stream: TextIO | None = None,
    handler: logging.Handler | None = None,
) -> None:
    """Sends the lines of raymon to a stream, and to it alone.

    Args:
        level: One of `LEVELS`; the variable RAYMON_LOG_LEVEL goes before it.
        log_format: "text", or "json" for one object a line; RAYMON_LOG_FORMAT goes before it.
        stream: Standard error by default.
        handler: Takes text lines in place of the stream, to keep them off a live line.

    Raises:
        ConfigError: A variable has a value that is not known.
    """
    level = _from_environment(LEVEL_VARIABLE, LEVELS, level)
    log_format = _from_environment(FORMAT_VARIABLE, FORMATS, log_format)
    if handler is None or log_format == "json":
        handler = logging.StreamHandler(LastingStream(stream or sys.stderr))
        handler.setFormatter(_formatter(log_format))
    logger = logging.getLogger("raymon")
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False
    _own[:] = [handler]


def is_set_up_by_others(own_process: bool = True) -> bool:
    """Whether the program that raymon is part of has a way for its lines already.

    Args:
        own_process: False where the handlers of the process are not the user's, as in a worker.
    """
    logger = logging.getLogger("raymon")
    if any(handler not in _own for handler in logger.handlers):
        return True
    return own_process and logger.propagate and bool(logging.root.handlers)


def use_level(level: str) -> None:
    """Has lines of a level shown by the handlers of others, unless they have chosen one.

    Raises:
        ConfigError: As `set_up_logging`.
    """
    logger = logging.getLogger("raymon")
    chosen = _from_environment(LEVEL_VARIABLE, LEVELS, level)
    if logger.level == logging.NOTSET or LEVEL_VARIABLE in os.environ:
        logger.setLevel(chosen)


def _formatter(log_format: str) -> logging.Formatter:
    if log_format == "json":
        return JsonFormatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
    return logging.Formatter(LINE, datefmt=CLOCK)


def _from_environment(variable: str, known: tuple[str, ...], default: str) -> str:
    value = os.environ.get(variable, default)
    if value not in known:
        raise ConfigError(f"{variable}={value}: not known; use one of {', '.join(known)}")
    return value
