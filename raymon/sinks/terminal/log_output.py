"""Sets up the output of log lines and progress, in a command and in the user's program."""

from __future__ import annotations

import logging

from rich.console import Console as RichConsole
from rich.logging import RichHandler

from raymon.log import LEVELS, is_set_up_by_others, set_up_logging, use_level
from raymon.sinks.terminal.terminal import error_terminal, terminal_handler


def open_output(
    own_process: bool = True, level: str | None = None, log_format: str = "text"
) -> RichConsole | None:
    """Shows the log lines of raymon, unless the program already has log handlers for them.

    Args:
        own_process: False in a worker, where the handlers of the process are not the user's.
        level: Log level, as for `set_up_logging`; None keeps the current one.
        log_format: Format of the lines, as for `set_up_logging`.

    Returns:
        The terminal for a live line; None for log lines only.

    Raises:
        ConfigError: The environment asks for a level or a format that is not known.
    """
    logger = logging.getLogger("raymon")
    if level is None:
        there = logging.getLevelName(logger.level)
        level = there if there in LEVELS else "INFO"
    if is_set_up_by_others(own_process):
        use_level(level)
    else:
        terminal = error_terminal()
        handler = terminal_handler(terminal) if terminal else None
        set_up_logging(level, log_format, handler=handler)
    return _terminal(logger) if logger.isEnabledFor(logging.INFO) else None


def _terminal(logger: logging.Logger) -> RichConsole | None:
    # A terminal on which log lines appear above the live line.
    consoles = (h.console for h in logger.handlers if isinstance(h, RichHandler))
    return next((console for console in consoles if console.is_terminal), None)
