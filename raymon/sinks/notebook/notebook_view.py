"""The live output of a run in a notebook."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from raymon.errors import reason
from raymon.number_text import duration_text
from raymon.results import Published, Snapshot
from raymon.sinks.notebook.kernel import Display, Shown
from raymon.sinks.notebook.page import Bar, page_html
from raymon.sinks.notebook.past_numbers import PastNumbers
from raymon.sinks.notebook.svg import chart_svg
from raymon.sinks.values_text import format_values

_log = logging.getLogger("raymon")

_EVERY_S = 0.5
"""Seconds between two drawings at least."""

_SHARE = 0.01
"""Share of the time that drawing may take."""

_CHARTS = 4
_LINES = 30
"""Warnings that are shown at most: the first one, and the newest."""


class NotebookView:
    """One output below the cell of a notebook: bars, numbers, curves and warnings.

    It is drawn anew in place, seldom and by whoever has news; the last drawing stays in the
    notebook. Nothing raises here: an output that cannot be shown is no reason to end a run.

    Args:
        display: How outputs get into the notebook.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._shown: Shown | None = None
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._drawn_at = -float("inf")
        self._pause_s = 0.0
        self._past = PastNumbers()
        self._bars: dict[str, Bar] = {}
        self._lines: list[str] = []
        self._left_out = 0
        self._steps_per_second = 0.0
        self._status = ""
        self._has_failed = False

    @property
    def is_shown(self) -> bool:
        """Whether the output is there and goes on."""
        return self._shown is not None and not self._status

    def start(self) -> None:
        """Shows the output below the cell that runs."""
        with self._lock, self._no_failure():
            self._shown = self._display(self._bundle(), raw=True, display_id=True)

    def stop(self, error: type[BaseException] | None = None) -> None:
        """Draws for the last time.

        Args:
            error: What ended the run; None if it is done.
        """
        with self._lock:
            self._bars.pop("evaluation", None)
            self._status = _status_of(error)
            if self._timer is not None:
                self._timer.cancel()
            self._draw()

    def take(self, published: Published) -> None:
        """Remembers numbers for the curves."""
        with self._lock:
            self._past.take(published)
            if isinstance(published, Snapshot):
                self._steps_per_second = published.steps_per_second
            self._draw_soon()

    def show(
        self,
        name: str,
        description: str,
        completed: int,
        total: int | None,
        numbers: str,
        *,
        stalls: bool = False,
    ) -> None:
        """Shows a bar; arguments are those of `LiveBars.show`."""
        with self._lock:
            left = ""
            rate = 0.0 if stalls or name != "training" else self._steps_per_second
            if total and completed < total and rate > 0:
                left = f"{duration_text((total - completed) / rate)} left"
            self._bars[name] = Bar(description, completed, total, numbers, left)
            self._draw_soon()

    def end(self, name: str) -> None:
        """Removes a bar, if there is one of the name."""
        with self._lock:
            if self._bars.pop(name, None) is not None:
                self._draw_soon()

    def warn(self, line: str) -> None:
        """Shows a line below the curves."""
        with self._lock:
            self._lines.append(line)
            if len(self._lines) > _LINES:
                del self._lines[1]
                self._left_out += 1
            self._draw_soon()

    def _draw_soon(self) -> None:
        if self._timer is not None or self._shown is None:
            return
        wait_s = self._drawn_at + max(_EVERY_S, self._pause_s) - time.monotonic()
        if wait_s <= 0:
            self._draw()
        else:
            self._timer = threading.Timer(wait_s, self._draw_late)
            self._timer.daemon = True
            self._timer.start()

    def _draw_late(self) -> None:
        with self._lock:
            self._timer = None
            if not self._status:
                self._draw()

    def _draw(self) -> None:
        began = time.thread_time()
        self._drawn_at = time.monotonic()
        if self._shown is not None:
            with self._no_failure():
                self._shown.update(self._bundle(), raw=True)
        # Of a long run there is much to draw, and the process may be the one that trains.
        self._pause_s = (time.thread_time() - began) / _SHARE

    @contextmanager
    def _no_failure(self) -> Iterator[None]:
        """Keeps failures to itself, but for the first one, which becomes a log line."""
        try:
            yield
        except Exception as error:
            if not self._has_failed:
                self._has_failed = True
                _log.warning("monitoring: the notebook shows no news: %s", reason(error))

    def _bundle(self) -> dict[str, str]:
        scores = ""
        if self._past.evaluation is not None:
            newest = self._past.evaluation
            values = format_values(newest.metrics, newest.metric_bounds)
            scores = f"Evaluation at step {newest.step:,}: {values}"
        charts = [
            chart_svg(name, self._past.train(name), self._past.scores(name))
            for name in self._past.names[:_CHARTS]
        ]
        lines = list(self._lines)
        if self._left_out:
            lines.insert(1, f"and {self._left_out:,} more lines")
        bars = list(self._bars.values())
        text = [self._status, *(bar.text for bar in bars), scores, *lines]
        return {
            "text/html": page_html(self._status, bars, scores, charts, lines),
            "text/plain": "\n".join(line for line in text if line),
        }


def _status_of(error: type[BaseException] | None) -> str:
    if error is None:
        return "done"
    return "interrupted" if issubclass(error, KeyboardInterrupt | SystemExit) else "failed"
