"""The terminal for a live line, if standard error is one that can show it."""

from __future__ import annotations

import logging
import sys
from typing import TextIO, cast

from rich.console import Console as RichConsole
from rich.console import ConsoleRenderable
from rich.logging import RichHandler
from rich.text import Text

from raymon.log import CLOCK, LINE
from raymon.safe_stream import SafeStream


def error_terminal() -> RichConsole | None:
    """Returns the terminal of standard error.

    None if standard error is no terminal, is closed, or cannot go back to the beginning of a line,
    as with `TERM=dumb`.
    """
    stream = SafeStream(sys.stderr)
    if not stream.isatty():
        return None
    terminal = RichConsole(file=cast(TextIO, stream))
    return None if terminal.is_dumb_terminal or not terminal.is_terminal else terminal


def terminal_handler(terminal: RichConsole) -> logging.Handler:
    """Returns a log handler whose lines appear above the live line of `terminal`."""
    handler = _AboveTheLine(console=terminal, markup=False, highlighter=None)
    handler.setFormatter(logging.Formatter(LINE, datefmt=CLOCK))
    return handler


class _AboveTheLine(RichHandler):
    """A log handler with plain lines, as without a terminal.

    By default rich puts time, level and text into columns, which leave no space for the text on a
    narrow terminal.
    """

    def render(
        self,
        *,
        record: logging.LogRecord,
        traceback: object,
        message_renderable: ConsoleRenderable,
    ) -> ConsoleRenderable:
        """Returns the line of a record, with its level in color."""
        line = Text(self.format(record))
        line.highlight_words([record.levelname], _STYLES.get(record.levelname, ""))
        return line


_STYLES = {"WARNING": "yellow", "ERROR": "bold red", "DEBUG": "dim"}
