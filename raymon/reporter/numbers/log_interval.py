"""The steps between two snapshots, `log_step_count_steps` of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from raymon.protos.report_pb2 import Histogram, InvalidCounts, LogIntervalState, Scalar
from raymon.reporter.numbers.decayed_metrics import DecayedMetrics
from raymon.reporter.numbers.interval_metrics import IntervalMetrics
from raymon.reporter.numbers.interval_scalars import IntervalScalars
from raymon.reporter.numbers.interval_tables import IntervalTables
from raymon.reporter.numbers.touched_rows import TouchedRows
from raymon.reporter.windows.window_sum import LossTotal, WindowSum
from raymon.results import Anatomy, Coverage, DeviceNumbers, RankNumbers, Snapshot
from raymon.wire import Layout


@dataclass
class LogInterval:
    """The sum of the windows since the last snapshot.

    Attributes:
        first_step: First step of the first window; None before it.
        samples: Rows that all ranks trained on.
        seconds: Seconds of the slowest rank.
        losses: Sums of the losses, by name.
        phases: Seconds by phase, each that of the slowest rank in this phase.
        rank_numbers: Seconds by phase, and other numbers, of each rank; None if ranks sent none.
        last: The newest window.
        gradient_norms: The newest gradient norms, by name.
        histograms: The newest histograms.
        host_bytes: Resident memory of the largest worker process.
        device: Memory and use of the GPUs of the ranks; None on CPUs.
        invalid: Counts of the state `invalid`, int64 `[4]`, by metric.
        skipped_steps: Steps of the optimizer that were skipped.
        ranks: Least number of ranks in a window; None before the first.
        metrics: The train metrics of these steps alone.
        tables: Lookups in embedding tables.
        scalars: Scalars that the user logged.
    """

    first_step: int | None = None
    samples: int = 0
    seconds: float = 0.0
    losses: dict[str, LossTotal] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    rank_numbers: RankNumbers | None = None
    last: WindowSum | None = None
    gradient_norms: dict[str, float] = field(default_factory=dict)
    histograms: Sequence[Histogram] = ()
    host_bytes: int = 0
    device: DeviceNumbers | None = None
    invalid: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    skipped_steps: int = 0
    ranks: int | None = None
    metrics: IntervalMetrics = field(default_factory=IntervalMetrics)
    tables: IntervalTables = field(default_factory=IntervalTables)
    scalars: IntervalScalars = field(default_factory=IntervalScalars)

    def add(self, window: WindowSum) -> None:
        """Adds the window that follows."""
        if window.end_step == window.first_step:
            return
        if self.first_step is None:
            self.first_step = window.first_step
        self.samples += window.samples
        self.seconds += window.wall_s
        for name, total in window.losses.items():
            self.losses.setdefault(name, LossTotal()).add(total)
        for name, seconds in window.phases.items():
            self.phases[name] = self.phases.get(name, 0.0) + seconds
        self.rank_numbers = RankNumbers.summed(self.rank_numbers, window.rank_numbers)
        for name, counts in window.invalid.items():
            self.invalid[name] = self.invalid.get(name, 0) + counts
        self.gradient_norms.update(window.gradient_norms)
        self.histograms = window.histograms or self.histograms
        self.host_bytes = max(self.host_bytes, window.host_bytes)
        if window.device is not None:
            self.device = window.device.merged(self.device)
        self.skipped_steps += window.skipped_steps
        self.metrics.add(window)
        self.tables.add(window)
        self.scalars.add(window.scalars)
        present = len(window.ranks)
        self.ranks = present if self.ranks is None else min(self.ranks, present)
        self.last = window

    def snapshot(
        self,
        decayed_metrics: DecayedMetrics,
        touched_rows: TouchedRows,
        samples_before: int,
        coverage: Coverage,
    ) -> Snapshot | None:
        """Returns the snapshot of the steps so far; None if there are none.

        Args:
            decayed_metrics: The decayed metrics at the end of these steps.
            touched_rows: Rows of tables that were looked up until then.
            samples_before: Samples of the run before these steps.
            coverage: Ranks that are in the numbers.
        """
        if self.last is None or self.first_step is None:
            return None
        return Snapshot(
            first_step=self.first_step,
            end_step=self.last.end_step,
            epoch=self.last.epoch,
            samples=self.samples,
            samples_total=samples_before + self.samples,
            seconds=self.seconds,
            losses={name: total.mean for name, total in self.losses.items()},
            non_finite={
                name: total.non_finite for name, total in self.losses.items() if total.non_finite
            },
            first_non_finite={
                name: total.first_non_finite
                for name, total in self.losses.items()
                if total.first_non_finite is not None
            },
            metrics=decayed_metrics.values(),
            metric_bounds=decayed_metrics.bounds(),
            window_metrics=self.metrics.values(decayed_metrics.metrics),
            first_window_weights=decayed_metrics.first_window_weights(),
            learning_rates=self.last.learning_rates,
            gradient_norms=dict(self.gradient_norms),
            coverage=coverage,
            phases=dict(self.phases),
            histograms=self.histograms,
            input_errors=decayed_metrics.input_errors(self.invalid),
            host_bytes=self.host_bytes,
            device=self.device,
            no_value={
                **self._losses_without_weight(),
                **{name: str(failure) for name, failure in self.metrics.failures.items()},
                **decayed_metrics.no_value(),
                **self.scalars.no_value(),
            },
            tables=self.tables.health(touched_rows),
            skipped_steps=self.skipped_steps,
            loss_scale=self.last.loss_scale,
            dense_gradient_norm=self.last.dense_gradient_norm,
            rank_numbers=self.rank_numbers,
            anatomy=Anatomy.of(self.rank_numbers),
            time=self.last.time,
            scalars=self.scalars.values(),
            non_finite_scalars=self.scalars.non_finite(),
        )

    def _losses_without_weight(self) -> dict[str, str]:
        """Returns why losses have no value, by name, where no row weighed anything."""
        why = "no row of these steps weighs anything"
        return {
            name: why
            for name, total in self.losses.items()
            if total.weight == 0 and not total.non_finite
        }

    def save(self) -> LogIntervalState | None:
        """Returns what `restore` reads; None if there are no steps."""
        if self.first_step is None:
            return None
        state = LogIntervalState(
            first_step=self.first_step,
            samples=self.samples,
            seconds=self.seconds,
            losses=[total.to_message(name) for name, total in self.losses.items()],
            phases=[Scalar(name=name, value=value) for name, value in self.phases.items()],
            invalid=[
                InvalidCounts(name=name, counts=counts.tolist())
                for name, counts in self.invalid.items()
            ],
            skipped_steps=self.skipped_steps,
            rank_numbers=None if self.rank_numbers is None else self.rank_numbers.to_message(),
        )
        self.metrics.save(state)
        self.tables.save(state)
        self.scalars.save(state)
        return state

    @classmethod
    def restore(cls, state: LogIntervalState, layout: Layout) -> LogInterval:
        """Returns the interval that `save` wrote.

        Args:
            state: What `save` returned.
            layout: Places of the states of metrics at that time.
        """
        return cls(
            first_step=state.first_step,
            samples=state.samples,
            seconds=state.seconds,
            losses={loss.name: LossTotal.from_message(loss) for loss in state.losses},
            phases={phase.name: phase.value for phase in state.phases},
            invalid={entry.name: np.array(entry.counts, dtype=np.int64) for entry in state.invalid},
            skipped_steps=state.skipped_steps,
            rank_numbers=RankNumbers.from_message(state.rank_numbers)
            if state.HasField("rank_numbers")
            else None,
            metrics=IntervalMetrics.restore(state, layout),
            tables=IntervalTables.restore(state),
            scalars=IntervalScalars.restore(state),
        )
