"""The log lines of raymon: Python's logging under the name `raymon`."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from raymon.errors import ConfigError
from raymon.safe_stream import SafeStream

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
"""Log levels by their names."""
FORMATS = ("text", "json")
"""Formats of log lines."""

LEVEL_VARIABLE = "RAYMON_LOG_LEVEL"
"""Environment variable with the log level, which takes precedence."""
FORMAT_VARIABLE = "RAYMON_LOG_FORMAT"
"""Environment variable with the format, which takes precedence."""

LINE, CLOCK = "%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"
"""A line of text, and the time in it."""

_own: list[logging.Handler] = []
"""Holds the handler that raymon set up last, or nothing."""


def set_up_logging(
    level: str = "INFO",
    log_format: str = "text",
    *,
    stream: TextIO | None = None,
    handler: logging.Handler | None = None,
) -> None:
    """Sends the log lines of raymon to a stream, and nowhere else.

    Args:
        level: One of `LEVELS`; the environment variable RAYMON_LOG_LEVEL takes precedence.
        log_format: "text", or "json" for one object a line; RAYMON_LOG_FORMAT takes precedence.
        stream: The stream; standard error by default.
        handler: Handler of text lines in place of the stream, to keep them off a live line.

    Raises:
        ConfigError: A variable has a value that is not known.
    """
    level = _from_environment(LEVEL_VARIABLE, LEVELS, level)
    log_format = _from_environment(FORMAT_VARIABLE, FORMATS, log_format)
    if handler is None or log_format == "json":
        handler = logging.StreamHandler(SafeStream(stream or sys.stderr))
        handler.setFormatter(_formatter(log_format))
    logger = logging.getLogger("raymon")
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False
    _own[:] = [handler]


def is_set_up_by_others(own_process: bool = True) -> bool:
    """Returns whether the program that raymon is part of has log handlers for its lines already.

    Args:
        own_process: False if the handlers of the process are not the user's, as in a worker.
    """
    logger = logging.getLogger("raymon")
    if any(handler not in _own for handler in logger.handlers):
        return True
    return own_process and logger.propagate and bool(logging.root.handlers)


def use_level(level: str) -> None:
    """Makes handlers of others show log lines from a level on, unless they have chosen one.

    Raises:
        ConfigError: RAYMON_LOG_LEVEL has a value that is not known.
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
