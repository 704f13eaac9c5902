"""The numbers of a run, over all merged windows so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from raymon.config import told
from raymon.metrics import TrainMetricWrapper
from raymon.protos.report_pb2 import ReporterState
from raymon.reporter.numbers.decayed_metrics import DecayedMetrics
from raymon.reporter.numbers.log_interval import LogInterval
from raymon.reporter.numbers.monitoring_cost import MonitoringCost
from raymon.reporter.windows.window_sum import WindowSum
from raymon.results import Coverage, RunFigures, Snapshot
from raymon.wire import Layout

Warn = Callable[[str, str], None]
"""Tells what is wrong: about what, and the text."""


class RunMetrics:
    """Decayed metrics, the steps since the last point on the curves, and totals.

    Args:
        metrics: The train metrics by name, as prototypes.
        step: The step that they begin at.
        warn: Told what goes wrong.
    """

    def __init__(self, metrics: Mapping[str, TrainMetricWrapper], step: int, warn: Warn) -> None:
        self._folds = DecayedMetrics(metrics)
        self._period = LogInterval()
        self._account = MonitoringCost()
        self._samples = 0
        self._train_s = 0.0
        self._monitor_s = 0.0
        self._fold_failures = 0
        self._fold_reasons: Counter[str] = Counter()
        self._warn = warn
        # By attempt, the window that comes next; and the step that all windows so far reach.
        self._next: dict[int, int] = {}
        self._end_step = step
        self._checkpoint_step: int | None = None

    def add(self, window: WindowSum, expected: int) -> None:
        """Adds a window, in order.

        Args:
            window: Merged over the ranks that are in it.
            expected: Ranks that it should have.
        """
        for name, error in self._folds.add(window).items():
            self._fold_failures += 1
            text = f"metric {name} was not folded: {told(error)}"
            self._fold_reasons[text] += 1
            self._warn(name, text)
        self._period.add(window)
        self._account.add(window, self._lost_before(window, expected))
        self._samples += window.samples
        self._train_s += window.wall_s
        self._monitor_s += window.phases.get("monitor", 0.0)
        if window.checkpoint:
            self._checkpoint_step = window.end_step

    def values(self) -> Mapping[str, float]:
        """The decayed metrics by name."""
        return self._folds.values()

    @property
    def ranks(self) -> int:
        """Ranks that are in all windows since the last point on the curves."""
        return self._period.ranks or 0

    def take_snapshot(self, coverage: Coverage) -> Snapshot | None:
        """The steps since the last point on the curves, which this one ends; None without any."""
        before = self._samples - self._period.samples
        snapshot = self._period.snapshot(self._folds, before, coverage)
        self._period = LogInterval()
        return snapshot

    def snapshot_with(self, windows: Sequence[WindowSum], coverage: Coverage) -> Snapshot | None:
        """What the numbers would be with windows that some ranks are missing from."""
        folds, period = self._folds.copy(), LogInterval()
        for window in windows:
            folds.add(window)
            period.add(window)
        return period.snapshot(folds, self._samples, coverage)

    def figures(self) -> RunFigures:
        """The totals so far."""
        return RunFigures(
            monitoring=self._account.figures(),
            end_step=self._end_step,
            checkpoint_step=self._checkpoint_step,
            samples=self._samples,
            train_s=self._train_s,
            monitor_s=self._monitor_s,
            fold_failures=self._fold_failures,
            fold_reasons=dict(self._fold_reasons),
        )

    def save(self, state: ReporterState) -> None:
        """Writes everything that `restore` needs into a state."""
        state.samples = self._samples
        state.train_s, state.monitor_s = self._train_s, self._monitor_s
        state.account.CopyFrom(self._account.to_message())
        period = self._period.save()
        if period is not None:
            state.period.CopyFrom(period)
        self._folds.save(state)

    def restore(self, state: ReporterState) -> None:
        """Goes on from what `save` wrote."""
        for name in self._folds.restore(state):
            self._warn(name, f"metric {name} is another one than before: it begins anew")
        if state.HasField("period"):
            self._period = LogInterval.restore(state.period, Layout.from_message(state.layout))
        self._samples = state.samples
        self._train_s, self._monitor_s = state.train_s, state.monitor_s
        self._account = MonitoringCost.from_message(state.account)
        self._next = {attempt.number: attempt.closed for attempt in state.attempts}
        # A state is written where a checkpoint is.
        self._end_step = self._checkpoint_step = state.end_step

    def _lost_before(self, window: WindowSum, expected: int) -> int:
        """Windows of single ranks that are missing from this one and between it and the last."""
        skipped = window.index - self._next.get(window.attempt, 0)
        self._next[window.attempt] = window.index + 1
        if window.first_step > self._end_step:
            gap = f"steps {self._end_step} to {window.first_step}"
            self._warn(gap, f"{gap} were not reported: they are in no number")
        self._end_step = window.end_step
        return max(0, skipped) * expected + expected - len(window.ranks)
