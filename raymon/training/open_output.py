"""Where a loop of one's own shows its progress."""

from __future__ import annotations

import logging
import sys

from rich.console import Console as RichConsole
from rich.logging import RichHandler

from raymon.log import LEVELS, set_up_logging
from raymon.sinks.console import terminal_handler


def open_output(own_process: bool) -> RichConsole | None:
    """Has the lines of raymon shown, unless whoever runs this has a way for them already.

    Args:
        own_process: False in a worker, whose handlers are not the user's.

    Returns:
        The terminal for a live line; None for log lines alone.

    Raises:
        ConfigError: The environment asks for a level or a format that is not known.
    """
    logger = logging.getLogger("raymon")
    theirs = logger.handlers or (own_process and logger.propagate and logging.root.handlers)
    if theirs:
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)
    else:
        terminal = RichConsole(stderr=True) if sys.stderr.isatty() else None
        level = logging.getLevelName(logger.level)
        set_up_logging(
            level if level in LEVELS else "INFO",
            handler=terminal_handler(terminal) if terminal else None,
        )
    return _terminal(logger) if logger.isEnabledFor(logging.INFO) else None


def _terminal(logger: logging.Logger) -> RichConsole | None:
    # One whose log lines go above the live line.
    consoles = (h.console for h in logger.handlers if isinstance(h, RichHandler))
    return next((console for console in consoles if console.is_terminal), None)
