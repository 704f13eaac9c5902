"""The summary that a command prints at the end of a run."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from raymon.cli.streams import say
from raymon.cli.value_rows import output_width, row_lines, value_notes, values_text
from raymon.number_text import count_text, number_text, rate_text
from raymon.results import AlertFigures, Anatomy, in_words

if TYPE_CHECKING:
    from raymon.reporter import Summary


def print_summary(summary: Summary, *, has_cluster: bool = False) -> None:
    """Prints how a run ended, and the commands for a closer look.

    Args:
        summary: Summary of the run.
        has_cluster: Whether it ran on a cluster that is still running, so that none has to be
            started.
    """
    directory = shlex.quote(summary.model_dir)
    best = "none" + (f": {summary.no_best}" if summary.no_best else "")
    if summary.best_checkpoint:
        best = shlex.quote(summary.best_checkpoint)
    notes = value_notes(summary.eval_metric_bounds, summary.eval_metric_details)
    rows = [
        ("steps", f"{summary.steps:,} in {summary.epochs} epochs"),
        ("stopped early", summary.stopped_early or ""),
        *_throughput(summary),
        *_time_spent(summary.phases),
        ("train", values_text(summary.train_metrics, value_notes(summary.train_metric_bounds))),
        ("", _last_window(summary)),
        ("eval", values_text(summary.eval_metrics, notes)),
        *((f"no {name}", why) for name, why in summary.no_value.items()),
        ("data", _counts(summary.input_counts)),
        ("checkpoints", _counts(summary.save_counts)),
        ("precision", _skipped(summary.skipped_steps)),
        ("best checkpoint", best),
        ("", values_text(summary.best_metrics, value_notes(summary.best_metric_bounds))),
        ("exported", shlex.quote(summary.export) if summary.export else ""),
        ("monitoring", _monitoring(summary)),
        ("alerts", _alerts(summary.alerts)),
        ("", None),
        ("TensorBoard", f"{_command('tensorboard')} --logdir {directory}"),
    ]
    if not has_cluster:
        rows += [
            ("Ray dashboard", f"{_command('ray')} start --head"),
            ("", f"{_command('raymon')} train CONFIG --address auto"),
            ("", f"{_command('ray')} get-auth-token   (http://127.0.0.1:8265 asks for it)"),
        ]
    if summary.verdict:
        rows += [("", None), ("verdict", summary.verdict)]
    since = ""
    if summary.diverged_since is not None:
        since = f", its losses are NaN or infinite from step {summary.diverged_since:,} on"
    say(f"\n{summary.status}: {directory}{since}")
    width, labels = output_width(), max(16, *(len(label) for label, _ in rows))
    for label, text in rows:
        if text is None:
            say("")
        elif text:
            for line in row_lines(label, text, labels, width):
                say(line)


def _last_window(summary: Summary) -> str:
    """Returns the metrics of only the last window, if they differ from the decayed ones."""
    apart = {
        name: value
        for name, value in summary.window_metrics.items()
        if number_text(summary.train_metrics.get(name, math.nan)) != number_text(value)
    }
    if not apart:
        return ""
    shares = {
        name: f" ({weight * 100:.0f} % of the decayed value is its first window)"
        for name, weight in summary.first_window_weights.items()
        if 0.005 <= weight < 1
    }
    return f"last window alone: {values_text(apart, shares)}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {in_words(name)}" for name, count in counts.items())


def _skipped(steps: int) -> str:
    what = "step" if steps == 1 else "steps"
    return f"{steps:,} {what} of the optimizer skipped, as not finite" if steps else ""


def _alerts(alerts: AlertFigures | None) -> str:
    if alerts is None or not alerts.counts:
        return ""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in alerts.counts.items())
    on = f"; not over: {', '.join(finding.text for finding in alerts.on)}" if alerts.on else ""
    return f"{kinds}{on}"


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
        ("samples", f"{summary.samples:,} in {rate_text(summary.train_s or 0.0)} s of training"),
        ("samples/s", count_text(summary.samples_per_second)),
    ]


def _time_spent(phases: Anatomy | None) -> list[tuple[str, str]]:
    """Returns where the time of all ranks went, and that of the slowest one if there are others."""
    if phases is None or not phases.shares:
        return []
    rows = [("time spent in", _shares_text(phases.shares))]
    if phases.slowest_rank is not None and phases.median != phases.slowest:
        slowest = dict(sorted(phases.slowest_shares.items(), key=lambda item: -item[1]))
        rows.append(("", f"slowest rank, {phases.slowest_rank}: {_shares_text(slowest)}"))
    return rows


def _shares_text(shares: Mapping[str, float]) -> str:
    shown = [(phase.replace("_", " "), share) for phase, share in shares.items() if share >= 0.005]
    return ", ".join(f"{phase} {share * 100:.0f} %" for phase, share in shown)


def _monitoring(summary: Summary) -> str:
    watched = summary.monitoring
    if watched is None:
        return "the reporter was gone at the end"
    missing = f"; steps {watched.steps_reported:,} to {summary.steps:,} were not reported"
    return str(watched) + (missing if watched.steps_reported < summary.steps else "")
