"""The summary at the end of a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from raymon.training.summary import Summary


def print_summary(summary: Summary) -> None:
    """Prints how a run ended, and the commands to look further."""
    directory = shlex.quote(summary.model_dir)
    best = shlex.quote(summary.best_checkpoint or "none")
    rows = [
        ("steps", f"{summary.steps:,} in {summary.epochs} epochs"),
        ("samples", f"{summary.samples:,} in {summary.train_s:.1f} s of training"),
        ("samples/s", f"{summary.samples_per_second:,.0f}"),
        ("train", _metrics(summary.train_metrics)),
        ("eval", _metrics(summary.eval_metrics)),
        ("best checkpoint", best),
        ("", _metrics(summary.best_metrics)),
        (
            "monitoring",
            f"{summary.monitoring_share:.1%} of training time, "
            f"{summary.windows:,} windows, {summary.windows_lost} lost",
        ),
        ("", ""),
        ("curves", f"tensorboard --logdir {directory}"),
        ("best", f"raymon best {directory}"),
        ("dashboard", "ray start --head, then raymon train CONFIG --address auto"),
    ]
    click.echo(f"\n{summary.status}: {directory}")
    for name, text in rows:
        if text or not name:
            click.echo(f"  {name:<16} {text}".rstrip())


def _metrics(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.5f}" for name, value in values.items())
