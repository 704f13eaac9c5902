"""One window, merged over the ranks that have reported it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from raymon.monitor.fixed_point import exact, real
from raymon.monitor.states import States, decode_states, merge_into
from raymon.protos.report_pb2 import Histogram, WindowReport


@dataclass
class LossTotal:
    """Sums of one loss, in fixed point, as integers of any size."""

    sum: int = 0
    weight: int = 0
    non_finite: int = 0

    def add(self, other: LossTotal) -> None:
        """Adds the sums of other ranks or steps."""
        self.sum += other.sum
        self.weight += other.weight
        self.non_finite += other.non_finite

    @property
    def mean(self) -> float:
        """The weighted mean, or NaN where no step had a finite loss."""
        return real(self.sum) / real(self.weight) if self.weight else float("nan")


@dataclass
class WindowSum:
    """The steps [first_step, end_step) of some ranks. Adding ranks commutes.

    Attributes:
        opened_at: When the first report came, in seconds.
        ranks: Whose reports are in.
        wall_s: Seconds of the slowest of them.
        phases: Seconds by phase, of the slowest rank of each.
        metrics: By metric, the merged states.
    """

    first_step: int
    end_step: int
    opened_at: float = 0.0
    epoch: int = 0
    checkpoint: bool = False
    ranks: set[int] = field(default_factory=set)
    samples: int = 0
    wall_s: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    losses: dict[str, LossTotal] = field(default_factory=dict)
    metrics: dict[str, States] = field(default_factory=dict)
    learning_rates: tuple[float, ...] = ()
    gradient_norms: Mapping[str, float] = field(default_factory=dict)
    histograms: tuple[Histogram, ...] = ()

    @property
    def invalid(self) -> dict[str, NDArray[np.int64]]:
        """By metric, the counts of its state `invalid`, of the metrics that have one."""
        return {
            name: states["invalid"].entries
            for name, states in self.metrics.items()
            if "invalid" in states and states["invalid"].entries.shape == (4,)
        }

    def add(self, report: WindowReport) -> bool:
        """Adds the report of a rank; false, and nothing added, where it is in already.

        Raises:
            ValueError: The report covers other steps than this window.
        """
        if report.rank in self.ranks:
            return False
        if (report.first_step, report.end_step) != (self.first_step, self.end_step):
            raise ValueError(
                f"rank {report.rank} reports steps [{report.first_step}, {report.end_step}) as "
                f"window {report.index}, which is [{self.first_step}, {self.end_step}) on others"
            )
        metrics = {metric.name: decode_states(metric) for metric in report.metrics}
        self.ranks.add(report.rank)
        self.samples += report.samples
        self.epoch = max(self.epoch, report.epoch)
        self.checkpoint = self.checkpoint or report.checkpoint
        self.wall_s = max(self.wall_s, report.wall_s)
        for phase in report.phases:
            self.phases[phase.name] = max(self.phases.get(phase.name, 0.0), phase.value)
        for loss in report.losses:
            self.losses.setdefault(loss.name, LossTotal()).add(
                LossTotal(exact(loss.sum), exact(loss.weight), loss.non_finite)
            )
        for name, states in metrics.items():
            merge_into(self.metrics.setdefault(name, {}), states)
        if report.rank == 0:
            self.learning_rates = tuple(report.learning_rates)
            self.gradient_norms = {norm.name: norm.value for norm in report.gradient_norms}
            self.histograms = tuple(report.histograms)
        return True
