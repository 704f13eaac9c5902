"""The numbers of a run, over all merged windows so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from raymon.config import reason_with_place
from raymon.metrics import TrainMetricWrapper
from raymon.protos.report_pb2 import ReporterState
from raymon.reporter.numbers.decayed_metrics import DecayedMetrics
from raymon.reporter.numbers.log_interval import LogInterval
from raymon.reporter.numbers.monitoring_cost import MonitoringCost
from raymon.reporter.numbers.touched_rows import TouchedRows
from raymon.reporter.windows.window_sum import WindowSum
from raymon.results import Anatomy, Coverage, RankNumbers, RunFigures, Snapshot
from raymon.wire import Layout

Warn = Callable[[str, str], None]
"""Publishes a warning, given its subject, by which repeats are dropped, and its text."""


class RunMetrics:
    """The decayed metrics, touched rows, steps since the last snapshot, and totals of a run.

    Args:
        metrics: Train metrics by name, as prototypes.
        step: Step at which the run begins.
        warn: Function that publishes what goes wrong.
    """

    def __init__(self, metrics: Mapping[str, TrainMetricWrapper], step: int, warn: Warn) -> None:
        self._decayed_metrics = DecayedMetrics(metrics)
        self._interval = LogInterval()
        self._touched_rows = TouchedRows(is_complete=step == 0)
        self._monitoring_cost = MonitoringCost()
        self._samples = 0
        self._train_s = 0.0
        self._monitor_s = 0.0
        self._skipped_steps = 0
        # Of the steps before those of the interval.
        self._rank_numbers: RankNumbers | None = None
        self._fold_failures = 0
        self._fold_reasons: Counter[str] = Counter()
        self._warn = warn
        # The index of the next window by attempt, and the step that all windows so far reach.
        self._next: dict[int, int] = {}
        self._end_step = step
        self._checkpoint_step: int | None = None

    def add(self, window: WindowSum, expected: int) -> None:
        """Adds a window, in order.

        Args:
            window: Window, merged over the ranks that are in it.
            expected: Number of ranks that it should have.
        """
        for name, error in self._decayed_metrics.add(window).items():
            self._fold_failures += 1
            text = f"metric {name} was not folded: {reason_with_place(error)}"
            self._fold_reasons[text] += 1
            self._warn(name, text)
        self._interval.add(window)
        for name, why in self._interval.scalars.mixed().items() if window.scalars else ():
            self._warn(f"scalar {name}", f"scalar {name} has no value: {why}")
        self._touched_rows.add(window)
        self._monitoring_cost.add(window, self._lost_before(window, expected))
        self._samples += window.samples
        self._train_s += window.wall_s
        self._monitor_s += window.phases.get("monitor", 0.0)
        self._skipped_steps += window.skipped_steps
        if window.checkpoint:
            self._checkpoint_step = window.end_step

    def values(self) -> Mapping[str, float]:
        """Returns the decayed metrics by name."""
        return self._decayed_metrics.values()

    @property
    def end_step(self) -> int:
        """The step that all windows so far reach."""
        return self._end_step

    @property
    def ranks(self) -> int:
        """The number of ranks that are in all windows since the last snapshot."""
        return self._interval.ranks or 0

    def take_snapshot(self, coverage: Coverage) -> Snapshot | None:
        """Returns the snapshot of the steps since the last one; None if there are none."""
        before = self._samples - self._interval.samples
        snapshot = self._interval.snapshot(
            self._decayed_metrics, self._touched_rows, before, coverage
        )
        self._rank_numbers = self._all_rank_numbers()
        self._interval = LogInterval()
        return snapshot

    def snapshot_with(self, windows: Sequence[WindowSum], coverage: Coverage) -> Snapshot | None:
        """Returns a preliminary snapshot, which includes windows that are incomplete."""
        decayed_metrics, interval = self._decayed_metrics.copy(), LogInterval()
        touched_rows = self._touched_rows.copy()
        for window in windows:
            decayed_metrics.add(window)
            interval.add(window)
            touched_rows.add(window)
        return interval.snapshot(decayed_metrics, touched_rows, self._samples, coverage)

    def figures(self) -> RunFigures:
        """Returns the totals so far."""
        return RunFigures(
            monitoring=self._monitoring_cost.figures(),
            end_step=self._end_step,
            checkpoint_step=self._checkpoint_step,
            samples=self._samples,
            train_s=self._train_s,
            monitor_s=self._monitor_s,
            skipped_steps=self._skipped_steps,
            fold_failures=self._fold_failures,
            fold_reasons=dict(self._fold_reasons),
            anatomy=Anatomy.of(self._all_rank_numbers()),
        )

    def save(self, state: ReporterState) -> None:
        """Writes what `restore` reads into a state."""
        state.samples = self._samples
        state.train_s, state.monitor_s = self._train_s, self._monitor_s
        state.skipped_steps = self._skipped_steps
        state.monitoring_cost.CopyFrom(self._monitoring_cost.to_message())
        if self._rank_numbers is not None:
            state.rank_numbers.CopyFrom(self._rank_numbers.to_message())
        interval = self._interval.save()
        if interval is not None:
            state.log_interval.CopyFrom(interval)
        self._decayed_metrics.save(state)
        state.touched_rows.CopyFrom(self._touched_rows.to_message())

    def restore(self, state: ReporterState) -> None:
        """Restores what `save` wrote."""
        for name in self._decayed_metrics.restore(state):
            self._warn(name, f"metric {name} is another one than before: it begins anew")
        if state.HasField("log_interval"):
            self._interval = LogInterval.restore(
                state.log_interval, Layout.from_message(state.layout)
            )
        self._touched_rows = TouchedRows(is_complete=False)
        if state.HasField("touched_rows"):
            self._touched_rows = TouchedRows.from_message(state.touched_rows)
        self._samples = state.samples
        self._train_s, self._monitor_s = state.train_s, state.monitor_s
        self._skipped_steps = state.skipped_steps
        if state.HasField("rank_numbers"):
            self._rank_numbers = RankNumbers.from_message(state.rank_numbers)
        self._monitoring_cost = MonitoringCost.from_message(state.monitoring_cost)
        self._next = {attempt.number: attempt.closed for attempt in state.attempts}
        # A state is written only at the step of a checkpoint.
        self._end_step = self._checkpoint_step = state.end_step

    def _all_rank_numbers(self) -> RankNumbers | None:
        return RankNumbers.summed(self._rank_numbers, self._interval.rank_numbers)

    def _lost_before(self, window: WindowSum, expected: int) -> int:
        """Returns how many windows of single ranks are lost: of this window and just before it."""
        skipped = window.index - self._next.get(window.attempt, 0)
        self._next[window.attempt] = window.index + 1
        if window.first_step > self._end_step:
            gap = f"steps {self._end_step} to {window.first_step}"
            self._warn(gap, f"{gap} were not reported: they are in no number")
        self._end_step = window.end_step
        return max(0, skipped) * expected + expected - len(window.ranks)
