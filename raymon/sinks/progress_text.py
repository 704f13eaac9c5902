"""The numbers of a snapshot as text."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.sinks.snapshot import Snapshot

BOUND_SHOWN_ABOVE = 0.01
"""A metric that may be wrong by more than this is shown with its bound."""


def progress_line(snapshot: Snapshot) -> str:
    """The line of a snapshot: epoch, steps, rate, learning rates, losses, metrics; then samples
    per second and coverage."""
    parts = [
        f"Training Epoch {snapshot.epoch}: {snapshot.end_step}it",
        f"[{snapshot.steps_per_second:.2f}it/s]",
        *(f"lr_g{i}:{rate:.5f}" for i, rate in enumerate(snapshot.learning_rates)),
        format_values({**snapshot.losses, "total_loss": snapshot.total_loss}),
        format_values(snapshot.metrics, snapshot.metric_bounds),
        f"samples/s:{snapshot.samples_per_second:,.0f}",
        f"ranks:{snapshot.coverage.ranks}/{snapshot.coverage.world_size}",
    ]
    return " ".join(part for part in parts if part)


def short_suffix(snapshot: Snapshot) -> str:
    """What stands behind the bar on a terminal."""
    parts = [
        f"{snapshot.samples_per_second:,.0f} samples/s",
        f"loss:{snapshot.total_loss:.5f}",
        format_values(snapshot.metrics, snapshot.metric_bounds),
        f"{snapshot.coverage.ranks}/{snapshot.coverage.world_size} ranks",
    ]
    return " ".join(part for part in parts if part)


def format_values(values: Mapping[str, float], bounds: Mapping[str, float] | None = None) -> str:
    """`name:value`, separated by spaces, with the bounds that are worth showing."""
    bounds = bounds or {}
    return " ".join(
        f"{name}:{value:.5f}" + _format_bound(bounds.get(name, 0.0))
        for name, value in values.items()
    )


def _format_bound(bound: float) -> str:
    return f"(±{bound:.3f})" if bound > BOUND_SHOWN_ABOVE else ""
