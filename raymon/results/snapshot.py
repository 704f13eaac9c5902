"""What the reporter publishes: the numbers of the whole cluster."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from raymon.config import TOTAL_LOSS, total_of
from raymon.protos.report_pb2 import Histogram
from raymon.results.alert import Alert
from raymon.results.anatomy import Anatomy
from raymon.results.device_numbers import DEVICE_FIGURES, DeviceNumbers
from raymon.results.evaluation import Evaluation, InputErrors
from raymon.results.failure import AttemptFailed
from raymon.results.rank_numbers import RankNumbers
from raymon.results.table_health import TableHealth


@dataclass(frozen=True)
class Coverage:
    """The ranks that are in some numbers.

    Attributes:
        ranks: Number of ranks whose windows are in.
        world_size: Number of ranks of the attempt.
        oldest_s: Seconds since the last report of the rank that has been silent longest.
        missing: Ranks that are not in, the first of them if they are many.
    """

    ranks: int
    world_size: int
    oldest_s: float
    missing: Sequence[int] = ()


@dataclass(frozen=True)
class RankState:
    """What is known of one rank.

    Attributes:
        rank: Number of the rank.
        heard_s: Seconds since its last report.
        step: Last step that it has reported.
        windows: Windows that it has reported in this attempt.
        lost: Windows that it had to drop, so that they are lost.
        ended: Whether it makes no more steps.
        host: Host of its process; empty before its first heartbeat, as are those that follow.
        pid: Id of its process on that host.
        node_id: Id of its node in Ray.
        phase: What its training thread did at the last heartbeat: a phase.
        phase_s: Seconds since that phase began, by now.
        deadline_s: Seconds in that phase within which it promised to be in another one; 0 if it
            promised nothing.
        beat_s: Seconds since the last heartbeat or report.
        waits: Whether it waits in that phase for other ranks, as far as it knows.
    """

    rank: int
    heard_s: float
    step: int
    windows: int
    lost: int
    ended: bool = False
    host: str = ""
    pid: int = 0
    node_id: str = ""
    phase: str = ""
    phase_s: float = 0.0
    deadline_s: float = 0.0
    beat_s: float = 0.0
    waits: bool = False


@dataclass(frozen=True)
class Snapshot:
    """The numbers of the steps [first_step, end_step) of all ranks together.

    Attributes:
        first_step: First of the steps.
        end_step: Step that follows the last one.
        epoch: Epoch of the last step, from 0.
        samples: Rows that all ranks trained on in these steps.
        samples_total: Rows that all ranks trained on since the start of the run.
        seconds: Seconds that these steps took the slowest rank, without evaluations and saves.
        losses: Weighted mean over all rows, by name. Steps whose loss was NaN or infinite are not
            in it and are counted in `non_finite`; if no step was finite, it is NaN.
        non_finite: Number of NaN or infinite values by loss, of one value for each rank and step;
            only losses that had any.
        first_non_finite: Of the losses of `non_finite`, the first of those steps, and the lowest
            rank that it was on.
        metrics: Decayed value by name, of the metrics that were folded at least once.
        metric_bounds: Bound of each metric that is not exact, by name.
        learning_rates: Learning rate of each parameter group.
        gradient_norms: Norms by name, `global_gradient_norm` and `{parameter}/gradient_norm`.
        coverage: Ranks that are in the numbers.
        phases: Seconds by phase of the steps, each that of the slowest rank in this phase.
        histograms: Histograms of parameters and gradients.
        input_errors: What was wrong with the input of metrics, as in `Evaluation`.
        host_bytes: Resident memory of the largest worker process, in bytes.
        device: Memory and use of the GPUs of the ranks; None on CPUs.
        window_metrics: Value by name of these steps alone, without earlier ones.
        first_window_weights: Weight of the first fold in each decayed value, by name: after k folds
            decay_rate^(k - 1), which is much in a short run.
        no_value: Why a metric is NaN at the last fold, as in `Evaluation`; also why a loss is,
            where no row weighed anything, and why a scalar is, by its name after `scalar/`.
        tables: Health of the embedding tables by name; empty if it is not measured.
        skipped_steps: Steps of the optimizer that were skipped, because a gradient was not finite.
        loss_scale: Scale of the loss after the last step, by which FP16 keeps small gradients; None
            in other precisions.
        dense_gradient_norm: Norm of all gradients of dense parameters before the last step of the
            optimizer, before clipping; None if it was not measured.
        rank_numbers: Seconds by phase, and other numbers, of each rank; None if ranks sent none,
            and for those who only watch the run.
        anatomy: Where the time of the ranks went.
        time: Seconds since 1970, UTC, at the end of the steps, by the clock of rank 0.
        stalled_s: Seconds for which no rank has made a step, if that is so long that the rate of
            these steps is none of now; else 0.
        scalars: Value by name of what the user logged in these steps on all ranks.
        non_finite_scalars: Number of the values by scalar that are NaN or infinite, and so not in
            it; only scalars that had any.
    """

    first_step: int
    end_step: int
    epoch: int
    samples: int
    samples_total: int
    seconds: float
    losses: Mapping[str, float]
    non_finite: Mapping[str, int]
    metrics: Mapping[str, float]
    metric_bounds: Mapping[str, float]
    learning_rates: Sequence[float]
    gradient_norms: Mapping[str, float]
    coverage: Coverage
    phases: Mapping[str, float] = field(default_factory=dict)
    histograms: Sequence[Histogram] = ()
    input_errors: InputErrors = field(default_factory=dict)
    host_bytes: int = 0
    device: DeviceNumbers | None = None
    window_metrics: Mapping[str, float] = field(default_factory=dict)
    first_window_weights: Mapping[str, float] = field(default_factory=dict)
    no_value: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, TableHealth] = field(default_factory=dict)
    skipped_steps: int = 0
    loss_scale: float | None = None
    dense_gradient_norm: float | None = None
    rank_numbers: RankNumbers | None = None
    anatomy: Anatomy = field(default_factory=Anatomy)
    time: float = 0.0
    first_non_finite: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    stalled_s: float = 0.0
    scalars: Mapping[str, float] = field(default_factory=dict)
    non_finite_scalars: Mapping[str, int] = field(default_factory=dict)

    @property
    def total_loss(self) -> float:
        """The loss named `total_loss` if there is one, else the sum of the losses.

        NaN if one of them is NaN, or there is none: never the sum of the others.
        """
        return total_of(self.losses)

    @property
    def all_losses(self) -> dict[str, float]:
        """The losses by name, the total last; empty if there are none."""
        parts = {name: loss for name, loss in self.losses.items() if name != TOTAL_LOSS}
        return {**parts, TOTAL_LOSS: self.total_loss} if self.losses else {}

    @property
    def diverged(self) -> bool:
        """Whether the total has no value because losses were NaN, infinite, or too large.

        False if it has none only because no row weighed anything.
        """
        beyond = any(math.isinf(loss) for loss in self.losses.values())
        return not math.isfinite(self.total_loss) and bool(self.non_finite or beyond)

    @property
    def device_figures(self) -> dict[str, float | None]:
        """The figures of the GPUs by name; None where there is no value, as on CPUs."""
        return dict.fromkeys(DEVICE_FIGURES) if self.device is None else self.device.figures()

    @property
    def samples_per_second(self) -> float:
        """Samples of all ranks per second."""
        return self.samples / self.seconds if self.seconds > 0 else 0.0

    @property
    def steps_per_second(self) -> float:
        """Steps per second."""
        steps = self.end_step - self.first_step
        return steps / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """Returns the line of `monitor/windows.jsonl`, with the names that are used everywhere."""
        return {
            "global_step": self.end_step,
            "time": self.time,
            "first_step": self.first_step,
            "epoch": self.epoch,
            "samples": self.samples,
            "samples_total": self.samples_total,
            "seconds": self.seconds,
            "samples_per_second": self.samples_per_second,
            "losses": self.all_losses,
            "non_finite": dict(self.non_finite),
            "first_non_finite": {
                name: {"step": step, "rank": rank}
                for name, (step, rank) in self.first_non_finite.items()
            },
            "metrics": dict(self.metrics),
            "metric_bounds": dict(self.metric_bounds),
            "window_metrics": dict(self.window_metrics),
            "first_window_weights": dict(self.first_window_weights),
            "no_value": dict(self.no_value),
            "input_errors": {name: dict(found) for name, found in self.input_errors.items()},
            "scalars": dict(self.scalars),
            "non_finite_scalars": dict(self.non_finite_scalars),
            "learning_rates": list(self.learning_rates),
            "gradient_norms": dict(self.gradient_norms),
            "phases": dict(self.phases),
            **self.anatomy.to_json(),
            "ranks": self.coverage.ranks,
            "world_size": self.coverage.world_size,
            "oldest_s": self.coverage.oldest_s,
            "host_bytes": self.host_bytes,
            **self.device_figures,
            "skipped_steps": self.skipped_steps,
            "loss_scale": self.loss_scale,
            "dense_gradient_norm": self.dense_gradient_norm,
            "tables": {name: table.to_json() for name, table in self.tables.items()},
        }


@dataclass(frozen=True)
class EvaluationProgress:
    """The progress of an evaluation: `done` of `total` steps in `seconds`."""

    step: int
    done: int
    total: int
    seconds: float


@dataclass(frozen=True)
class AttemptBegan:
    """The start of the `attempt`-th attempt: `world_size` ranks train from `step` on."""

    attempt: int
    world_size: int
    step: int


@dataclass(frozen=True)
class Stall:
    """No rank has made a step for `seconds`, unusually long; the last one does a `phase`."""

    seconds: float
    phase: str


@dataclass(frozen=True)
class Notice:
    """Something about the run that a person should read, by default at the level of a warning."""

    text: str
    level: int = logging.WARNING


Published = (
    Snapshot
    | Evaluation
    | EvaluationProgress
    | AttemptBegan
    | AttemptFailed
    | Notice
    | Alert
    | Stall
)
