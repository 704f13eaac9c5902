"""The numbers of a snapshot as text."""

from __future__ import annotations

import logging
import math

from raymon.config import TOTAL_LOSS
from raymon.number_text import count_text, number_text, rate_text
from raymon.results import OUTSIDE_PHASES, Alert, Coverage, Snapshot
from raymon.sinks.values_text import format_values

_MOST_SCALARS = 8
"""Scalars of the user in a line, which stays readable."""


def progress_line(snapshot: Snapshot, phase: str = "") -> str:
    """Returns the line of a snapshot.

    It has epoch, steps, rate, learning rates, losses, metrics and scalars of the user; then samples
    per second, steps that were skipped, if any, and coverage. If no step has been made for a while,
    it says so in place of the rates.

    Args:
        snapshot: The snapshot.
        phase: What is done in place of steps, if that is known.
    """
    stalled = snapshot.stalled_s > 0
    rate = f"{rate_text(snapshot.steps_per_second)}it/s"
    parts = [
        f"Training Epoch {snapshot.epoch}: {snapshot.end_step}it",
        f"[{stall_text(snapshot.stalled_s, phase) if stalled else rate}]",
        *(f"lr_g{i}:{number_text(rate)}" for i, rate in enumerate(snapshot.learning_rates)),
        _losses(snapshot),
        format_values(snapshot.metrics, snapshot.metric_bounds),
        _scalars(snapshot),
        "" if stalled else f"samples/s:{count_text(snapshot.samples_per_second)}",
        f"skipped_steps:{snapshot.skipped_steps:,}" if snapshot.skipped_steps else "",
        f"ranks:{snapshot.coverage.ranks}/{snapshot.coverage.world_size}",
        _missing(snapshot.coverage),
    ]
    return " ".join(part for part in parts if part)


def stall_text(seconds: float, phase: str = "") -> str:
    """Returns a text such as `no step for 34 s: checkpoint`."""
    # A phase of a step is no reason.
    doing = f": {phase}" if phase in OUTSIDE_PHASES else ""
    return f"no step for {seconds:.0f} s{doing}"


def short_suffix(snapshot: Snapshot, phase: str = "") -> str:
    """Returns the text after the bar on a terminal; the arguments are those of `progress_line`."""
    rate = f"{count_text(snapshot.samples_per_second)} samples/s"
    parts = [
        stall_text(snapshot.stalled_s, phase) if snapshot.stalled_s > 0 else rate,
        f"loss:{number_text(snapshot.total_loss)}" if snapshot.losses else "",
        format_values(snapshot.metrics, snapshot.metric_bounds),
        _scalars(snapshot),
        f"{snapshot.coverage.ranks}/{snapshot.coverage.world_size} ranks",
        _missing(snapshot.coverage),
    ]
    return " ".join(part for part in parts if part)


def _missing(coverage: Coverage) -> str:
    if not coverage.missing:
        return ""
    more = coverage.world_size - coverage.ranks - len(coverage.missing)
    named = ", ".join(map(str, coverage.missing))
    return f"(without {named}{f' and {more} more' if more > 0 else ''})"


def alert_text(alert: Alert) -> str:
    """Returns the line of an alert."""
    return f"Over: {alert.finding.text}" if alert.is_over else f"Alert: {alert.finding.text}"


def alert_level(alert: Alert) -> int:
    """Returns the level at which an alert is logged."""
    return logging.INFO if alert.is_over else logging.WARNING


def _losses(snapshot: Snapshot) -> str:
    # The total lacks at least as many values as any of its losses.
    counts = {TOTAL_LOSS: max(snapshot.non_finite.values(), default=0), **snapshot.non_finite}
    return " ".join(
        f"{name}:{number_text(loss)}" + _format_non_finite(loss, counts.get(name, 0))
        for name, loss in snapshot.all_losses.items()
    )


def _scalars(snapshot: Snapshot) -> str:
    shown = list(snapshot.scalars.items())[:_MOST_SCALARS]
    more = len(snapshot.scalars) - len(shown)
    parts = [
        f"{name}:{number_text(value)}"
        + _format_non_finite(value, snapshot.non_finite_scalars.get(name, 0))
        for name, value in shown
    ]
    return " ".join([*parts, f"(and {more:,} more scalars)"] if more else parts)


def _format_non_finite(loss: float, count: int) -> str:
    # Shown only next to a number, to say that it does not cover all steps.
    return f"({count:,} not finite)" if count and math.isfinite(loss) else ""
