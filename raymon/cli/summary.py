"""The summary at the end of a run."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from raymon.cli.streams import say

if TYPE_CHECKING:
    from raymon.training.summary import Summary


def print_summary(summary: Summary, *, has_cluster: bool = False) -> None:
    """Prints how a run ended, and the commands to look further.

    Args:
        summary: Of the run.
        has_cluster: It ran on a cluster that goes on, so that nobody has to start one.
    """
    directory = shlex.quote(summary.model_dir)
    best = shlex.quote(summary.best_checkpoint or "none")
    rows = [
        ("steps", f"{summary.steps:,} in {summary.epochs} epochs"),
        ("stopped early", summary.stopped_early or ""),
        *_throughput(summary),
        ("train", _metrics(summary.train_metrics)),
        ("eval", _metrics(summary.eval_metrics)),
        ("data", _counts(summary.input_counts)),
        ("checkpoints", _counts(summary.save_counts)),
        ("best checkpoint", best),
        ("", _metrics(summary.best_metrics)),
        ("exported", shlex.quote(summary.export) if summary.export else ""),
        ("monitoring", _monitoring(summary)),
        ("", ""),
        ("TensorBoard", f"{_command('tensorboard')} --logdir {directory}"),
    ]
    if not has_cluster:
        rows += [
            ("Ray dashboard", f"{_command('ray')} start --head"),
            ("", f"{_command('raymon')} train CONFIG --address auto"),
            ("", f"{_command('ray')} get-auth-token   (http://127.0.0.1:8265 asks for it)"),
        ]
    say(f"\n{summary.status}: {directory}")
    for name, text in rows:
        if text or not name:
            say(f"  {name:<16} {text}".rstrip())


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _command(name: str) -> str:
    # In a virtual environment that is not activated, a bare name would not be found.
    if shutil.which(name):
        return name
    path = Path(sys.executable).parent / name
    near = path.is_relative_to(Path.cwd())
    return shlex.quote(str(path.relative_to(Path.cwd()) if near else path))


def _throughput(summary: Summary) -> list[tuple[str, str]]:
    if summary.samples is None or not summary.samples_per_second:
        return []
    return [
        ("samples", f"{summary.samples:,} in {summary.train_s:.1f} s of training"),
        ("samples/s", f"{summary.samples_per_second:,.0f}"),
    ]


def _monitoring(summary: Summary) -> str:
    watched = summary.monitoring
    if watched is None:
        return "the reporter was gone at the end"
    missing = f"; steps {watched.steps_reported:,} to {summary.steps:,} were not reported"
    return str(watched) + (missing if watched.steps_reported < summary.steps else "")


def _metrics(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.5f}" for name, value in values.items())
