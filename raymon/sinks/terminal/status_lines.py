"""The sink that prints into the log of the reporter's process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from raymon.results import Alert, Evaluation, Snapshot
from raymon.sinks.terminal.progress_text import alert_text, format_values, progress_line


class StatusLines:
    """Prints the progress of the run, for people who open the reporter's log in Ray's dashboard.

    The dashboard shows first what processes write to standard error.

    Args:
        interval_s: Seconds between two lines of training.
        file: File that is printed to; None is the standard error of the process that prints.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        interval_s: float,
        file: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval_s = interval_s
        self._file = file
        self._clock = clock
        self._printed_at: float | None = None

    def write(self, snapshot: Snapshot) -> None:
        """Prints a snapshot, unless one was printed less than `interval_s` ago."""
        now = self._clock()
        if self._printed_at is None or now - self._printed_at >= self._interval_s:
            self._printed_at = now
            self._print(progress_line(snapshot))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Prints the scores of an evaluation."""
        values = format_values(evaluation.metrics, evaluation.metric_bounds)
        self._print(f"Evaluation at step {evaluation.step}: {values}")

    def write_alert(self, alert: Alert) -> None:
        """Prints an alert."""
        self._print(alert_text(alert))

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Prints the step from which the run continues."""
        self._print(f"On from step {step}")

    def flush(self) -> None:
        """Does nothing, since every line is printed already."""

    def close(self) -> None:
        """Prints that the run is over."""
        self._print("The run is over")

    def _print(self, text: str) -> None:
        print_status(text, self._file)


def print_status(text: str, file: TextIO | None = None) -> None:
    """Prints a line with the time, to standard error unless a file is given."""
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, file=file or sys.stderr, flush=True)
