"""The sink that logs in the process of the reporter."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from raymon.results import Alert, Evaluation, Snapshot
from raymon.sinks.terminal.log_fields import alert_fields, evaluation_fields, progress_fields
from raymon.sinks.terminal.progress_text import (
    alert_level,
    alert_text,
    progress_line,
)
from raymon.sinks.values_text import format_values

_log = logging.getLogger("raymon")


class StatusLines:
    """Logs the progress of the run, for people who open the reporter's log.

    Args:
        interval_s: Seconds between two lines of training.
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, interval_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._logged_at: float | None = None

    def write(self, snapshot: Snapshot) -> None:
        """Logs a snapshot, unless one was logged less than `interval_s` ago."""
        now = self._clock()
        if self._logged_at is None or now - self._logged_at >= self._interval_s:
            self._logged_at = now
            _log.info("%s", progress_line(snapshot), extra=progress_fields(snapshot))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Logs the scores of an evaluation."""
        values = format_values(evaluation.metrics, evaluation.metric_bounds)
        text = f"Evaluation at step {evaluation.step}: {values}"
        _log.info("%s", text, extra=evaluation_fields(evaluation))

    def write_alert(self, alert: Alert) -> None:
        """Logs an alert."""
        _log.log(alert_level(alert), "%s", alert_text(alert), extra=alert_fields(alert))

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Logs the step from which the run continues."""
        _log.info("On from step %d", step, extra={"event": "roll_back", "step": step})

    def flush(self) -> None:
        """Does nothing, since every line is logged already."""

    def close(self) -> None:
        """Logs that the run is over."""
        _log.info("The run is over", extra={"event": "end"})
