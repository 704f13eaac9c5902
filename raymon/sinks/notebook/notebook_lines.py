"""The log lines of a run in a notebook: those that matter, below its live output."""

from __future__ import annotations

import logging
import sys

from raymon.log import CLOCK, LINE
from raymon.safe_stream import SafeStream
from raymon.sinks.notebook.notebook_view import NotebookView


class NotebookLines(logging.Handler):
    """Shows warnings in the live output of a notebook; while there is none, on standard error.

    Lines of less weight are not shown, unless debug lines are asked for: the output has what they
    say of progress, and the files in `logs/` have all of them.

    Args:
        view: The live output.
    """

    def __init__(self, view: NotebookView) -> None:
        super().__init__()
        self.view = view
        self.setFormatter(logging.Formatter(LINE, datefmt=CLOCK))

    def emit(self, record: logging.LogRecord) -> None:
        """Shows a line."""
        if record.levelno < logging.WARNING and self.level >= logging.INFO:
            return
        try:
            line = self.format(record)
        except Exception:  # a line that cannot be made is no reason to end a run
            self.handleError(record)
            return
        if self.view.is_shown:
            self.view.warn(line)
        else:
            stream = SafeStream(sys.stderr)
            stream.write(f"{line}\n")
            stream.flush()
