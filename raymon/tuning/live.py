"""The live line of a sweep on a terminal, or log lines elsewhere."""

from __future__ import annotations

import logging
import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from raymon.number_text import duration_text, number_text
from raymon.sinks import LiveOutput
from raymon.tuning.parameters import Values
from raymon.tuning.plan import SweepPlan
from raymon.tuning.table import values_text

_log = logging.getLogger("raymon")

_LINE_S = 10.0
"""Seconds between two log lines about the sweep as a whole, where there is no terminal."""

_ORDER = ("running", "waiting", "done", "pruned", "stopped", "diverged", "failed", "interrupted")


class SweepLine:
    """Shows where a sweep is: how many trials run, wait and are over, and the best one so far.

    Args:
        plan: Plan of the sweep.
        terminal: Where a line is drawn in place; None for log lines.
    """

    def __init__(self, plan: SweepPlan, terminal: LiveOutput | None) -> None:
        self._plan = plan
        self._live = (
            Live(Text(), console=terminal, transient=True, auto_refresh=False)
            if isinstance(terminal, Console)
            else None
        )
        self._start = self._logged_at = time.monotonic()
        self._statuses: dict[str, str] = {trial.name: "waiting" for trial in plan.trials}
        self._steps: dict[str, int] = {}
        self._best: tuple[float, int, str, Values] | None = None

    def __enter__(self) -> SweepLine:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def take_status(self, trial: str, status: str) -> None:
        """Notes the status of a trial."""
        self._statuses[trial] = status
        self._draw()

    def take_value(self, trial: str, step: int, value: float | None, values: Values) -> None:
        """Notes a value of the metric of a trial; None if it has none."""
        self._steps[trial] = step
        if value is not None and (self._best is None or self._plan.is_better(value, self._best[0])):
            self._best = (value, step, trial, values)
        self._draw()

    def text(self) -> str:
        """Returns the line."""
        counts = Counter(self._statuses.values())
        listed = [f"{counts[status]} {status}" for status in _ORDER if counts[status]]
        listed += [f"{n} {status}" for status, n in counts.items() if status not in _ORDER]
        parts = [f"Sweep of {len(self._statuses)} trials: {', '.join(listed)}"]
        running = [self._steps.get(name, 0) for name in self._running()]
        if running:
            total = f" of {self._plan.total_steps:,}" if self._plan.total_steps else ""
            low, high = min(running), max(running)
            span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            parts.append(f"at step {span}{total}")
        if self._best is not None:
            value, step, trial, values = self._best
            parts.append(
                f"best {self._plan.metric} {number_text(value)} of {trial} at step {step:,} "
                f"({values_text(values)})"
            )
        parts.append(duration_text(time.monotonic() - self._start))
        return " | ".join(parts)

    def _running(self) -> list[str]:
        return [name for name, status in self._statuses.items() if status == "running"]

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(Text(self.text(), no_wrap=True, overflow="ellipsis"), refresh=True)
            return
        now = time.monotonic()
        if now - self._logged_at >= _LINE_S:
            self._logged_at = now
            _log.info("%s", self.text())
