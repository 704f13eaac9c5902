"""Throttled progress lines."""

from __future__ import annotations

import logging
import time

from raymon.number_text import rate_text

_log = logging.getLogger("raymon")


class ProgressLogger:
    """Logs iterations and their rate under the name `raymon`, throttled by time and iterations.

    Args:
        desc: Description, with which every line begins.
        start_n: Iteration before the first.
        mininterval: Smallest number of seconds between two lines.
        miniters: Smallest number of iterations between two lines.
    """

    def __init__(
        self, desc: str, start_n: int = -1, mininterval: float = 1, miniters: int = 0
    ) -> None:
        self._desc = desc
        self._last_n = start_n
        self._last_time = time.monotonic()
        self._mininterval = mininterval
        self._miniters = miniters
        if _log.level == logging.NOTSET:
            # Code that makes one wants its lines, even if otherwise only warnings are shown.
            _log.setLevel(logging.INFO)

    def set_description(self, desc: str) -> None:
        """Changes the description of the lines to come."""
        self._desc = desc

    def log(self, n: int, suffix: str = "") -> None:
        """Logs `desc: {n}it [{rate}it/s] suffix`, unless a line was logged too recently.

        The rate is that of the iterations since the last line; without any, nothing is logged.

        Args:
            n: Number of the iteration.
            suffix: Text at the end of the line.
        """
        now = time.monotonic()
        seconds, iterations = now - self._last_time, n - self._last_n
        if seconds < self._mininterval or iterations < max(1, self._miniters):
            return
        rate = iterations / seconds if seconds > 0 else 0.0
        _log.info("%s: %dit [%sit/s] %s", self._desc, n, rate_text(rate), suffix)
        self._last_time, self._last_n = now, n
