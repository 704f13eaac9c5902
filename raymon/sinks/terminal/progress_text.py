"""The numbers of a snapshot as text."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from raymon.config import TOTAL_LOSS
from raymon.number_text import count_text, number_text, rate_text
from raymon.results import Alert, Snapshot

BOUND_SHOWN_ABOVE = 0.01
"""The bound above which a metric is shown with its bound."""


def progress_line(snapshot: Snapshot) -> str:
    """Returns the line of a snapshot.

    It has epoch, steps, rate, learning rates, losses and metrics; then samples per second, steps
    that FP16 skipped, if any, and coverage.
    """
    parts = [
        f"Training Epoch {snapshot.epoch}: {snapshot.end_step}it",
        f"[{rate_text(snapshot.steps_per_second)}it/s]",
        *(f"lr_g{i}:{number_text(rate)}" for i, rate in enumerate(snapshot.learning_rates)),
        _losses(snapshot),
        format_values(snapshot.metrics, snapshot.metric_bounds),
        f"samples/s:{count_text(snapshot.samples_per_second)}",
        f"skipped_steps:{snapshot.skipped_steps:,}" if snapshot.skipped_steps else "",
        f"ranks:{snapshot.coverage.ranks}/{snapshot.coverage.world_size}",
    ]
    return " ".join(part for part in parts if part)


def short_suffix(snapshot: Snapshot) -> str:
    """Returns the text after the bar on a terminal."""
    parts = [
        f"{count_text(snapshot.samples_per_second)} samples/s",
        f"loss:{number_text(snapshot.total_loss)}" if snapshot.losses else "",
        format_values(snapshot.metrics, snapshot.metric_bounds),
        f"{snapshot.coverage.ranks}/{snapshot.coverage.world_size} ranks",
    ]
    return " ".join(part for part in parts if part)


def alert_text(alert: Alert) -> str:
    """Returns the line of an alert."""
    return f"Over: {alert.finding.text}" if alert.is_over else f"Alert: {alert.finding.text}"


def alert_level(alert: Alert) -> int:
    """Returns the level at which an alert is logged."""
    return logging.INFO if alert.is_over else logging.WARNING


def format_values(values: Mapping[str, float], bounds: Mapping[str, float] | None = None) -> str:
    """Returns `name:value`, separated by spaces, with the bounds above `BOUND_SHOWN_ABOVE`."""
    bounds = bounds or {}
    return " ".join(
        f"{name}:{number_text(value)}" + _format_bound(bounds.get(name, 0.0))
        for name, value in values.items()
    )


def _losses(snapshot: Snapshot) -> str:
    # The total lacks at least as many values as any of its losses.
    counts = {TOTAL_LOSS: max(snapshot.non_finite.values(), default=0), **snapshot.non_finite}
    return " ".join(
        f"{name}:{number_text(loss)}" + _format_non_finite(loss, counts.get(name, 0))
        for name, loss in snapshot.all_losses.items()
    )


def _format_non_finite(loss: float, count: int) -> str:
    # Shown only next to a number, to say that it does not cover all steps.
    return f"({count:,} not finite)" if count and math.isfinite(loss) else ""


def _format_bound(bound: float) -> str:
    return f"(±{bound:.3f})" if bound > BOUND_SHOWN_ABOVE else ""
