"""What one rank measured between two cuts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from raymon.protos.report_pb2 import LossSum, Scalar, WindowReport
from raymon.recorder.background_scalars import BackgroundScalars
from raymon.recorder.offload import Offload
from raymon.wire import (
    FINE_BITS,
    LARGEST,
    SCHEMA_VERSION,
    Layout,
    encode,
    encode_counts,
    encode_histogram,
    encode_states,
    units,
)

Reals = NDArray[np.float64]


class States(Protocol):
    """States of a metric that are there when `wait` returns."""

    def wait(self) -> dict[str, torch.Tensor]:
        """The states by name, on the CPU. For a thread other than the training thread."""


@dataclass
class Window:
    """The steps [first_step, end_step) of one rank, with its tensors on their way to the host.

    Attributes:
        attempt, rank, index: What the reporter knows the window by.
        samples: Rows that this rank trained on.
        wall_s: Seconds of the steps, evaluation and saves left out.
        phases: Seconds by phase.
        losses: By name, the losses of the steps.
        weights: By name, what each of these losses weighs.
        metrics: By name, what has the states of the train metrics.
        layout: Where their integer states are on the wire.
        extremes: By metric, which states are merged by "min" or "max" instead of by adding.
        learning_rates: By parameter group.
        gradient_norms: By name, a scalar.
        histograms: By name, what `HistogramCounter.count` gave.
        checkpoint: A checkpoint is made of the state after `end_step` steps.
        last: The rank makes no more steps in this attempt.
        take_failures: Gives, by reason, the failures of monitoring on this rank since it was called
            last; called when the tensors are there, as metrics may fail on their way.
        input_counts: By name, what was wrong with the data and was only counted, since the window
            before.
        save_counts: By name, what became of saves of which there is no checkpoint, since then.
    """

    attempt: int
    rank: int
    index: int
    first_step: int
    end_step: int
    samples: int
    epoch: int
    wall_s: float
    phases: Mapping[str, float]
    losses: Mapping[str, BackgroundScalars]
    weights: Mapping[str, BackgroundScalars]
    metrics: Mapping[str, States]
    layout: Layout
    extremes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    learning_rates: Sequence[float] = ()
    gradient_norms: Offload | None = None
    histograms: Mapping[str, Offload] = field(default_factory=dict)
    checkpoint: bool = False
    last: bool = False
    take_failures: Callable[[], Mapping[str, int]] = dict
    input_counts: Mapping[str, int] = field(default_factory=dict)
    save_counts: Mapping[str, int] = field(default_factory=dict)


def encode_window(window: Window) -> WindowReport:
    """The message of a window. Waits for its tensors, so it is for the sender thread."""
    report = WindowReport(
        schema_version=SCHEMA_VERSION,
        attempt=window.attempt,
        ranks=[window.rank],
        index=window.index,
        first_step=window.first_step,
        end_step=window.end_step,
        samples=window.samples,
        epoch=window.epoch,
        wall_s=window.wall_s,
        phases=_scalars(window.phases),
        layout=window.layout.fingerprint,
        learning_rates=window.learning_rates,
        checkpoint=window.checkpoint,
        ended=[window.rank] if window.last else [],
        input_counts=window.input_counts,
        save_counts=window.save_counts,
    )
    for name, losses in window.losses.items():
        report.losses.append(_loss_sum(name, losses.wait(), window.weights[name].wait()))
    _encode_metrics(window, report)
    report.failure_reasons.update(window.take_failures())
    if window.gradient_norms is not None:
        norms = window.gradient_norms.wait()
        report.gradient_norms.extend(_scalars({k: float(v) for k, v in norms.items()}))
    for name, offload in window.histograms.items():
        report.histograms.append(encode_histogram(name, **offload.wait()))
    return report


def _encode_metrics(window: Window, report: WindowReport) -> None:
    states = {name: states.wait() for name, states in window.metrics.items()}
    report.counts.extend(encode_counts(window.layout, window.layout.join(states)))
    for name, of_metric in states.items():
        others = encode_states(name, of_metric, window.extremes.get(name, {}))
        if others is not None:
            report.metrics.append(others)


def _loss_sum(name: str, losses: Reals, weights: Reals) -> LossSum:
    finite = np.isfinite(losses) & np.isfinite(weights)
    return LossSum(
        name=name,
        sum=encode(units(_sum(losses[finite], weights[finite]), FINE_BITS)),
        weight=encode(units(math.fsum(weights[finite].tolist()), FINE_BITS)),
        non_finite=len(finite) - int(np.count_nonzero(finite)),
    )


def _sum(losses: Reals, weights: Reals) -> float:
    """The sum of loss * weight; `LARGEST` where one of them is beyond what can be counted."""
    with np.errstate(over="ignore"):
        parts = losses * weights
    largest = max(parts.tolist(), key=abs, default=0.0)
    return largest if abs(largest) >= LARGEST else math.fsum(parts.tolist())


def _scalars(values: Mapping[str, float]) -> list[Scalar]:
    return [Scalar(name=name, value=value) for name, value in values.items()]
