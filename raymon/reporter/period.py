"""The steps between two points of the curves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from raymon.reporter.folds import Folds
from raymon.reporter.window_sum import LossTotal, WindowSum
from raymon.sinks import Coverage, Snapshot


@dataclass
class Period:
    """Windows since the last snapshot, summed; the first begins it."""

    first_step: int | None = None
    samples: int = 0
    seconds: float = 0.0
    losses: dict[str, LossTotal] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    last: WindowSum | None = None
    gradient_norms: dict[str, float] = field(default_factory=dict)

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
        self.gradient_norms.update(window.gradient_norms)
        self.last = window

    def snapshot(self, folds: Folds, samples_before: int, coverage: Coverage) -> Snapshot | None:
        """What is published of the steps so far; None where there are none."""
        if self.last is None or self.first_step is None:
            return None
        means = {name: total.mean for name, total in self.losses.items()}
        return Snapshot(
            first_step=self.first_step,
            end_step=self.last.end_step,
            epoch=self.last.epoch,
            samples=self.samples,
            samples_total=samples_before + self.samples,
            seconds=self.seconds,
            losses={name: mean for name, mean in means.items() if not math.isnan(mean)},
            non_finite={
                name: total.non_finite for name, total in self.losses.items() if total.non_finite
            },
            metrics=folds.values(),
            metric_bounds=folds.bounds(),
            learning_rates=self.last.learning_rates,
            gradient_norms=dict(self.gradient_norms),
            coverage=coverage,
            phases=dict(self.phases),
            histograms=self.last.histograms,
        )
