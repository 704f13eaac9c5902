"""The sum of one window over ranks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from raymon.protos.report_pb2 import Histogram, LossSum, Scalar, SendingCounts, WindowReport
from raymon.results import DeviceNumbers, RankNumbers
from raymon.wire import (
    FINE_BITS,
    LARGEST_UNITS,
    SCHEMA_VERSION,
    Counts,
    Entries,
    Layout,
    MetricFailure,
    ScalarTotals,
    States,
    TableSketches,
    add_counts,
    add_sending,
    decode,
    decode_counts,
    decode_metric_failures,
    decode_scalars,
    decode_states,
    encode,
    encode_counts,
    encode_merged,
    encode_metric_failures,
    encode_scalars,
    merge_into,
    merge_metric_failures,
    merge_scalars,
    real,
)


@dataclass
class LossTotal:
    """The sums of one loss.

    Attributes:
        sum: Sum of loss * weight over the steps whose loss is finite, in units of 2^-128.
        weight: Sum of the weights of those steps, in units of 2^-128.
        non_finite: Number of steps whose loss is NaN or infinite.
        first_non_finite: The first of those steps, and the lowest rank that it was on; None if it
            is not known.
    """

    sum: int = 0
    weight: int = 0
    non_finite: int = 0
    first_non_finite: tuple[int, int] | None = None

    def add(self, other: LossTotal) -> None:
        """Adds the sums of other ranks or steps; a sum that has reached the largest stays there."""
        largest = max(self.sum, other.sum, key=abs)
        total = largest if abs(largest) >= LARGEST_UNITS else self.sum + other.sum
        self.sum = max(-LARGEST_UNITS, min(total, LARGEST_UNITS))
        self.weight = min(self.weight + other.weight, LARGEST_UNITS)
        self.non_finite += other.non_finite
        found = [first for first in (self.first_non_finite, other.first_non_finite) if first]
        self.first_non_finite = min(found, default=None)

    @property
    def mean(self) -> float:
        """The weighted mean.

        NaN if no step had a finite loss; infinite if the sum is beyond what can be counted.
        """
        if abs(self.sum) >= LARGEST_UNITS:
            return math.copysign(math.inf, self.sum)
        weight = real(self.weight, FINE_BITS)
        return real(self.sum, FINE_BITS) / weight if weight else math.nan

    def to_message(self, name: str) -> LossSum:
        """Returns the message that `from_message` reads."""
        step, rank = self.first_non_finite or (None, None)
        return LossSum(
            name=name,
            sum=encode(self.sum),
            weight=encode(self.weight),
            non_finite=self.non_finite,
            first_step=step,
            first_rank=rank,
        )

    @classmethod
    def from_message(cls, message: LossSum) -> LossTotal:
        """Returns the sums of a message."""
        has_first = message.HasField("first_step")
        return cls(
            decode(message.sum),
            decode(message.weight),
            message.non_finite,
            (message.first_step, message.first_rank) if has_first else None,
        )


@dataclass
class WindowSum:
    """The windows of some ranks over steps [first_step, end_step), summed in any order.

    Attributes:
        attempt: Number of the attempt.
        index: Index of the window in its attempt, from 0.
        layout: Places of the states in `counts`.
        counts: Integer states of all metrics, summed: int64 `[layout.size]`.
        others: Merged states that are not integers, by metric.
        ranks: Ranks whose windows are in the sum.
        lost: Ranks whose window is lost, because they had to drop it.
        ended: Ranks that make no more steps.
        epoch: Epoch of the last step, from 0.
        checkpoint: Whether the window ends at a checkpoint.
        samples: Rows that the ranks trained on.
        wall_s: Seconds of the slowest rank.
        phases: Seconds by phase, each that of the slowest rank in this phase.
        losses: Sums of the losses, by name.
        learning_rates: Learning rates of the last step, by parameter group.
        gradient_norms: Gradient norms by name.
        histograms: Histograms of parameters and gradients.
        failures: Failures of monitoring on workers.
        sending: What sending cost the workers.
        host_bytes: Resident memory of the largest worker process.
        device: Memory and use of the GPUs of the ranks; None on CPUs.
        input_counts: What was wrong with the data and was only counted, by name.
        save_counts: Saves that left no checkpoint, by name: failed, or left out.
        failure_reasons: Number of `failures` by reason.
        skipped_steps: Steps of the optimizer that were skipped, the same on all ranks.
        loss_scale: Scale of the loss after the last step; None if losses are not scaled.
        dense_gradient_norm: Norm of all gradients of dense parameters before the last step of the
            optimizer; None if it was not measured.
        tables: Lookups in embedding tables; None if no rank counts them.
        lacks_tables: Whether a rank made steps and does not count them.
        rank_parts: Seconds by phase, and other numbers, of each rank, as ranks sent them.
        time: Seconds since 1970, UTC, at the end of the window: of rank 0, or else the latest.
        metric_failures: Why train metrics have no value in the window, by name.
        scalars: Scalars that the user logged.
    """

    attempt: int
    index: int
    first_step: int
    end_step: int
    layout: Layout
    counts: Counts
    others: dict[str, States] = field(default_factory=dict)
    ranks: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    epoch: int = 0
    checkpoint: bool = False
    samples: int = 0
    wall_s: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    losses: dict[str, LossTotal] = field(default_factory=dict)
    learning_rates: Sequence[float] = ()
    gradient_norms: Mapping[str, float] = field(default_factory=dict)
    histograms: Sequence[Histogram] = ()
    failures: int = 0
    sending: SendingCounts = field(default_factory=SendingCounts)
    host_bytes: int = 0
    device: DeviceNumbers | None = None
    input_counts: Counter[str] = field(default_factory=Counter)
    save_counts: Counter[str] = field(default_factory=Counter)
    failure_reasons: Counter[str] = field(default_factory=Counter)
    skipped_steps: int = 0
    loss_scale: float | None = None
    dense_gradient_norm: float | None = None
    tables: TableSketches | None = None
    lacks_tables: bool = False
    rank_parts: list[RankNumbers] = field(default_factory=list)
    time: float = 0.0
    metric_failures: dict[str, MetricFailure] = field(default_factory=dict)
    scalars: ScalarTotals = field(default_factory=dict)

    @classmethod
    def of(cls, report: WindowReport, layout: Layout, counts: Entries | None = None) -> WindowSum:
        """Returns the sum of one report.

        Args:
            report: Report of any number of ranks.
            layout: Places of the states in its counts.
            counts: Its counts, if they are decoded already; else None.
        """
        total = cls(
            report.attempt, report.index, report.first_step, report.end_step, layout, layout.empty()
        )
        if counts is None:
            counts = decode_counts(report.counts, layout.size)
        total.add(report, counts)
        return total

    def add(self, part: WindowReport, counts: Entries) -> None:
        """Adds a report of other ranks.

        Args:
            part: The report.
            counts: Its counts, decoded.
        """
        add_counts(counts, self.counts)
        if part.metrics:
            merge_into(self.others, decode_states(part.metrics))
        if 0 in part.ranks:
            self.time = part.time
        elif 0 not in self.ranks:
            self.time = max(self.time, part.time)
        if part.metric_failures:
            merge_metric_failures(
                self.metric_failures, decode_metric_failures(part.metric_failures)
            )
        self.ranks.update(part.ranks)
        self.lost.update(part.lost)
        self.ended.update(part.ended)
        self.end_step = max(self.end_step, part.end_step)
        self.samples += part.samples
        self.epoch = max(self.epoch, part.epoch)
        self.checkpoint = self.checkpoint or part.checkpoint
        self.wall_s = max(self.wall_s, part.wall_s)
        for phase in part.phases:
            self.phases[phase.name] = max(self.phases.get(phase.name, 0.0), phase.value)
        for loss in part.losses:
            self.losses.setdefault(loss.name, LossTotal()).add(LossTotal.from_message(loss))
        if part.scalars:
            merge_scalars(self.scalars, decode_scalars(part.scalars))
        self.failures += part.failures
        self.input_counts.update(part.input_counts)
        self.save_counts.update(part.save_counts)
        self.failure_reasons.update(part.failure_reasons)
        self.skipped_steps = max(self.skipped_steps, part.skipped_steps)
        add_sending(self.sending, part.sending)
        self.host_bytes = max(self.host_bytes, part.host_bytes)
        if part.HasField("device"):
            self.device = DeviceNumbers.from_message(part.device).merged(self.device)
        if part.HasField("rank_numbers"):
            self.rank_parts.append(RankNumbers.from_message(part.rank_numbers))
        if not part.HasField("tables"):
            self.lacks_tables = self.lacks_tables or part.end_step > part.first_step
        elif self.tables is None:
            self.tables = TableSketches.from_message(part.tables)
        else:
            self.tables.add(part.tables)
        if part.learning_rates and 0 in part.ranks:
            self.learning_rates = tuple(part.learning_rates)
            self.gradient_norms = {norm.name: norm.value for norm in part.gradient_norms}
            self.histograms = tuple(part.histograms)
            self.loss_scale = part.loss_scale or None
            measured = part.HasField("dense_gradient_norm")
            self.dense_gradient_norm = part.dense_gradient_norm if measured else None

    @property
    def metrics(self) -> dict[str, dict[str, NDArray[np.generic]]]:
        """The merged states by metric and name: int64, or float64 if they are not integers."""
        states: dict[str, dict[str, NDArray[np.generic]]] = {}
        for metric, counts in self.layout.split(self.counts).items():
            states.setdefault(metric, {}).update(counts)
        for metric, others in self.others.items():
            arrays = {name: state.to_array() for name, state in others.items()}
            states.setdefault(metric, {}).update(arrays)
        return states

    @property
    def invalid(self) -> dict[str, Counts]:
        """The counts of the state `invalid`, int64 `[4]`, of each metric that has one."""
        return {
            metric: states["invalid"]
            for metric, states in self.layout.split(self.counts).items()
            if "invalid" in states and states["invalid"].shape == (4,)
        }

    @property
    def rank_numbers(self) -> RankNumbers | None:
        """The numbers of each rank; None if no rank sent any."""
        joined = RankNumbers.joined(self.rank_parts)
        # They are joined once, as a window is both written and counted.
        self.rank_parts = [] if joined is None else [joined]
        return joined

    @property
    def table_sketches(self) -> TableSketches | None:
        """The lookups in embedding tables, incomplete if those of a rank are missing."""
        if self.tables is None or not self.lacks_tables:
            return self.tables
        return replace(self.tables, incomplete=True)

    def to_message(self) -> WindowReport:
        """Returns the report of all ranks together."""
        tables, numbers = self.table_sketches, self.rank_numbers
        return WindowReport(
            schema_version=SCHEMA_VERSION,
            attempt=self.attempt,
            ranks=sorted(self.ranks),
            lost=sorted(self.lost),
            ended=sorted(self.ended),
            index=self.index,
            first_step=self.first_step,
            end_step=self.end_step,
            samples=self.samples,
            epoch=self.epoch,
            wall_s=self.wall_s,
            phases=[Scalar(name=name, value=value) for name, value in self.phases.items()],
            losses=[total.to_message(name) for name, total in self.losses.items()],
            layout=self.layout.fingerprint,
            counts=encode_counts(self.layout, self.counts),
            metrics=encode_merged(self.others),
            learning_rates=self.learning_rates,
            gradient_norms=[Scalar(name=n, value=v) for n, v in self.gradient_norms.items()],
            histograms=self.histograms,
            checkpoint=self.checkpoint,
            failures=self.failures,
            sending=self.sending,
            host_bytes=self.host_bytes,
            device=None if self.device is None else self.device.to_message(),
            input_counts=self.input_counts,
            save_counts=self.save_counts,
            failure_reasons=self.failure_reasons,
            skipped_steps=self.skipped_steps,
            loss_scale=self.loss_scale or 0.0,
            dense_gradient_norm=self.dense_gradient_norm,
            tables=None if tables is None else tables.to_message(),
            rank_numbers=None if numbers is None else numbers.to_message(),
            time=self.time,
            metric_failures=encode_metric_failures(self.metric_failures),
            scalars=encode_scalars(self.scalars),
        )
