"""What a rank measured, in its log file."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from raymon.log import log_to_files
from raymon.recorder.window import Window

LINE_S = 10.0
"""Seconds between two lines."""


class WindowLog:
    """Logs windows of a rank to its log file, one each `LINE_S` seconds at most.

    Args:
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged_at = -float("inf")

    def see(self, window: Window) -> None:
        """Logs a window, unless one was logged too recently."""
        now = self._clock()
        if window.end_step == window.first_step or now - self._logged_at < LINE_S:
            return
        self._logged_at = now
        log_to_files(
            logging.INFO,
            f"Steps {window.first_step} to {window.end_step} took {window.wall_s:.3f} s",
            event="window",
            first_step=window.first_step,
            step=window.end_step,
            epoch=window.epoch,
            samples=window.samples,
            seconds=window.wall_s,
            phases=dict(window.phases),
            learning_rates=list(window.learning_rates),
        )
