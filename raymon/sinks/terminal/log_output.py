"""Sets up the output of log lines and progress, in a command and in the user's program."""

from __future__ import annotations

import logging

from rich.console import Console as RichConsole
from rich.logging import RichHandler

from raymon.log import LEVELS, is_set_up_by_others, set_up_logging, use_level
from raymon.sinks.notebook.kernel import kernel_display
from raymon.sinks.notebook.notebook_lines import NotebookLines
from raymon.sinks.notebook.notebook_view import NotebookView
from raymon.sinks.terminal.terminal import error_terminal, terminal_handler

LiveOutput = RichConsole | NotebookView
"""Where progress is shown live."""


def open_output(
    own_process: bool = True, level: str | None = None, log_format: str = "text"
) -> LiveOutput | None:
    """Shows the log lines of raymon, unless the program already has log handlers for them.

    Args:
        own_process: False in a worker, where the handlers of the process are not the user's.
        level: Log level, as for `set_up_logging`; None keeps the current one.
        log_format: Format of the lines, as for `set_up_logging`.

    Returns:
        The terminal for a live line, or the live output of a notebook; None for log lines only.

    Raises:
        ConfigError: The environment asks for a level or a format that is not known.
    """
    logger = logging.getLogger("raymon")
    if level is None:
        there = logging.getLevelName(logger.level)
        level = there if there in LEVELS else "INFO"
    display = kernel_display() if own_process else None
    notebook = None if display is None else NotebookView(display)
    is_set_up = is_set_up_by_others(own_process)
    if is_set_up:
        use_level(level)
    else:
        terminal = error_terminal()
        handler = terminal_handler(terminal) if terminal else None
        if notebook is not None:
            handler = NotebookLines(notebook)
        set_up_logging(level, log_format, handler=handler)
    if not logger.isEnabledFor(logging.INFO):
        return None
    # Lines of others, such as those of Colab, stay theirs.
    return notebook if notebook is not None and is_set_up else _live_output(logger)


def _live_output(logger: logging.Logger) -> LiveOutput | None:
    lines = (h.view for h in logger.handlers if isinstance(h, NotebookLines))
    notebook = next(lines, None)
    if notebook is not None:
        return notebook
    # A terminal on which log lines appear above the live line.
    consoles = (h.console for h in logger.handlers if isinstance(h, RichHandler))
    return next((console for console in consoles if console.is_terminal), None)
