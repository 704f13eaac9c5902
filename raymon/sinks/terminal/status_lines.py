"""Sink: the log of the process that the reporter is in."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from raymon.results import Evaluation, Snapshot
from raymon.sinks.terminal.progress_text import format_values, progress_line


class StatusLines:
    """Prints how the run goes, for who opens the log of the reporter in Ray's dashboard. It shows
    first what processes write to their standard error.

    Args:
        interval_s: Seconds between two lines of training.
        file: Where to; None is the standard error of the process that writes.
        clock: Seconds that never go back.
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
        """Prints a snapshot, unless another one was printed just now."""
        now = self._clock()
        if self._printed_at is None or now - self._printed_at >= self._interval_s:
            self._printed_at = now
            self._print(progress_line(snapshot))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Prints scores."""
        values = format_values(evaluation.metrics, evaluation.metric_bounds)
        self._print(f"Evaluation at step {evaluation.step}: {values}")

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Says from where the run goes on."""
        self._print(f"On from step {step}")

    def flush(self) -> None:
        """Every line is printed already."""

    def close(self) -> None:
        """Says that nothing comes any more."""
        self._print("The run is over")

    def _print(self, text: str) -> None:
        print_status(text, self._file)


def print_status(text: str, file: TextIO | None = None) -> None:
    """Prints a line with the time; to the standard error of this process where no file is given."""
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, file=file or sys.stderr, flush=True)
