"""The window: all that one rank measured between two cuts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from raymon.code_location import describe
from raymon.protos.report_pb2 import LossSum, Scalar, WindowReport
from raymon.recorder.background_lookups import BackgroundLookups
from raymon.recorder.background_scalars import BackgroundScalars
from raymon.recorder.background_updates import NoStatesError
from raymon.recorder.device_phases import DeviceMarks
from raymon.recorder.logged_scalars import TakenScalars
from raymon.recorder.offload import Offload
from raymon.results import PHASES, RankNumbers
from raymon.wire import (
    FINE_BITS,
    LARGEST,
    SCHEMA_VERSION,
    Layout,
    MetricFailure,
    encode,
    encode_counts,
    encode_histogram,
    encode_metric_failures,
    encode_scalars,
    encode_states,
    units,
)

Reals = NDArray[np.float64]


class States(Protocol):
    """States of a metric, complete when `wait` returns."""

    def wait(self) -> dict[str, torch.Tensor]:
        """Returns the states by name, on the CPU; for a thread other than the training thread.

        Raises:
            NoStatesError: The metric has no states of the window.
        """


@dataclass
class Window:
    """The steps [first_step, end_step) of one rank, with tensors that may not be on the host yet.

    Attributes:
        attempt: Number of the attempt; with rank and index it identifies the window.
        rank: Rank that measured it.
        index: Number of the window within the attempt, from 0.
        first_step: First step of the window.
        end_step: Step after the last one of the window.
        samples: Number of rows that this rank trained on.
        epoch: Epoch of the last step, from 0.
        wall_s: Seconds of the steps, without evaluations and saves.
        phases: Seconds by phase, of the host.
        losses: Losses of the steps, by name.
        weights: Weights of these losses, by name.
        metrics: States of the train metrics, by name.
        layout: Layout of their integer states in the message.
        extremes: "min" or "max" by metric and state, for states that are not merged by adding.
        learning_rates: Learning rates by parameter group.
        gradient_norms: Gradient norms by name, scalars; None if they were not measured.
        histograms: Histograms as returned by `HistogramCounter.count`, by name.
        checkpoint: Whether a checkpoint is made of the state after `end_step` steps.
        last: Whether the rank makes no more steps in this attempt.
        take_failures: Returns the failures of monitoring on this rank by reason, since its last
            call; called once the tensors are on the host, as metrics may fail on the way there.
        input_counts: Defects of the data that were only counted, by name, since the window before.
        save_counts: Saves without a checkpoint, by name, since the window before.
        tables: Lookups in embedding tables; None if they are not counted, or there is no step.
        skipped_steps: Steps of the optimizer that were skipped.
        loss_scale: `loss_scale` after the last step, a scalar; None if losses are not scaled.
        dense_gradient_norm: `dense_gradient_norm` before the last step of the optimizer, a scalar;
            None if it was not measured.
        input_seconds: Seconds of reading by part, `INPUT_PARTS`, since the window before; empty if
            they are not measured.
        time: Seconds since 1970, UTC, at the end of the window.
        device_marks: Changes of phase in the work of a device; None on the CPU.
        scalars: Scalars that the user logged; None if there are none.
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
    tables: BackgroundLookups | None = None
    skipped_steps: int = 0
    loss_scale: Offload | None = None
    dense_gradient_norm: Offload | None = None
    input_seconds: Mapping[str, float] = field(default_factory=dict)
    time: float = 0.0
    device_marks: DeviceMarks | None = None
    scalars: TakenScalars | None = None


def encode_window(window: Window, levels: Mapping[str, float] | None = None) -> WindowReport:
    """Encodes a window as a message.

    Waits for its tensors, so it runs on the sender thread.

    Args:
        window: The window.
        levels: Memory of the rank, by the names of `LEVELS`.
    """
    # First, as lookups that are not taken would be those of the next window.
    tables = None if window.tables is None else window.tables.wait()
    phases, reasons = _phases(window)
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
        phases=_scalars(phases),
        rank_numbers=_rank_numbers(window, phases, levels or {}).to_message(),
        time=window.time,
        layout=window.layout.fingerprint,
        learning_rates=window.learning_rates,
        checkpoint=window.checkpoint,
        ended=[window.rank] if window.last else [],
        input_counts=window.input_counts,
        save_counts=window.save_counts,
        tables=None if tables is None else tables.to_message(),
        skipped_steps=window.skipped_steps,
    )
    for name, losses in window.losses.items():
        report.losses.append(_loss_sum(name, losses.wait(), window.weights[name].wait(), window))
    _encode_metrics(window, report)
    reasons += _encode_logged(window, report)
    report.failure_reasons.update(window.take_failures())
    for why in reasons:
        report.failure_reasons[why] += 1
    if window.gradient_norms is not None:
        norms = window.gradient_norms.wait()
        report.gradient_norms.extend(_scalars({k: float(v) for k, v in norms.items()}))
    if window.loss_scale is not None:
        report.loss_scale = float(window.loss_scale.wait()["loss_scale"])
    if window.dense_gradient_norm is not None:
        norm = window.dense_gradient_norm.wait()["dense_gradient_norm"]
        report.dense_gradient_norm = float(norm)
    for name, offload in window.histograms.items():
        report.histograms.append(encode_histogram(name, **offload.wait()))
    return report


def _phases(window: Window) -> tuple[Mapping[str, float], list[str]]:
    """Returns the seconds by phase, and why those of the device are missing."""
    if window.device_marks is None:
        return window.phases, []
    try:
        return window.device_marks.phases(window.phases), []
    except Exception as error:  # a window arrives with those of the host too
        return window.phases, [f"{type(error).__name__}: {error}"]


def _rank_numbers(
    window: Window, phases: Mapping[str, float], levels: Mapping[str, float]
) -> RankNumbers:
    # All ranks send the same names in the same order, so that merging them is cheap.
    of_all = {phase: phases.get(phase, 0.0) for phase in PHASES}
    return RankNumbers.of_rank(window.rank, {**of_all, **window.input_seconds, **levels})


def _encode_metrics(window: Window, report: WindowReport) -> None:
    taken: dict[str, dict[str, torch.Tensor]] = {}
    failures: dict[str, MetricFailure] = {}
    for name, states in window.metrics.items():
        try:
            of_metric = states.wait()
            # What does not fit would cost the window its other metrics.
            window.layout.check(name, of_metric)
            others = encode_states(name, of_metric, window.extremes.get(name, {}))
        except Exception as error:  # a metric that fails costs only itself
            failures[name] = MetricFailure(window.rank, _why(error))
            continue
        taken[name] = of_metric
        if others is not None:
            report.metrics.append(others)
    report.counts.extend(encode_counts(window.layout, window.layout.join(taken)))
    report.metric_failures.extend(encode_metric_failures(failures))


def _encode_logged(window: Window, report: WindowReport) -> list[str]:
    """Encodes what the user logged; returns why it is missing."""
    if window.scalars is None:
        return []
    try:
        report.scalars.extend(encode_scalars(window.scalars.wait()))
    except Exception as error:  # a window arrives without them too
        return [f"logged scalars are missing: {describe(error)}"]
    return []


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, NoStatesError) else f"its states: {describe(error)}"


def _loss_sum(name: str, losses: Reals, weights: Reals, window: Window) -> LossSum:
    finite = np.isfinite(losses) & np.isfinite(weights)
    # Of a loss that only some steps have, it is not known which step a value is of.
    has_first = not finite.all() and len(finite) == window.end_step - window.first_step
    return LossSum(
        name=name,
        sum=encode(units(_sum(losses[finite], weights[finite]), FINE_BITS)),
        weight=encode(units(math.fsum(weights[finite].tolist()), FINE_BITS)),
        non_finite=len(finite) - int(np.count_nonzero(finite)),
        first_step=window.first_step + int(np.argmin(finite)) if has_first else None,
        first_rank=window.rank if has_first else None,
    )


def _sum(losses: Reals, weights: Reals) -> float:
    """Returns the sum of loss * weight; `LARGEST` if a term exceeds what can be counted."""
    with np.errstate(over="ignore"):
        parts = losses * weights
    largest = max(parts.tolist(), key=abs, default=0.0)
    return largest if abs(largest) >= LARGEST else math.fsum(parts.tolist())


def _scalars(values: Mapping[str, float]) -> list[Scalar]:
    return [Scalar(name=name, value=value) for name, value in values.items()]
