"""Sink: what a person reads while a run goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console as RichConsole
from rich.logging import RichHandler
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from raymon.sinks.snapshot import (
    Evaluation,
    EvaluationProgress,
    InputErrors,
    Notice,
    Published,
    Snapshot,
)

_log = logging.getLogger("raymon")

BOUND_SHOWN_ABOVE = 0.01
"""A metric that may be wrong by more than this is shown with its bound."""


class Console:
    """Prints progress: one live line on a terminal, throttled log lines elsewhere.

    Args:
        total_steps: Steps of the run.
        interval_s: Seconds between two progress lines where the output is no terminal.
        terminal: A terminal to draw on, or None for log lines.
    """

    def __init__(
        self, total_steps: int, interval_s: float, terminal: RichConsole | None = None
    ) -> None:
        self._total_steps = total_steps
        self._interval_s = interval_s
        self._last_line = -float("inf")
        self._unlogged: Snapshot | None = None
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._doubted: set[str] = set()
        if terminal is not None:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.percentage:>3.0f}% {task.completed:.0f}/{task.total:.0f}"),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.fields[suffix]}"),
                console=terminal,
                refresh_per_second=4,
            )

    def __enter__(self) -> Console:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._unlogged is not None and self._progress is None:
            self._log_snapshot(self._unlogged)
        if self._progress is not None:
            self._progress.stop()

    def show(self, published: Published) -> None:
        """Shows what the reporter published."""
        if isinstance(published, Snapshot):
            self._show_snapshot(published)
        elif isinstance(published, Evaluation):
            self._end_task("evaluation")
            self._show_evaluation(published)
        elif isinstance(published, EvaluationProgress):
            self._show_evaluation_progress(published)
        elif isinstance(published, Notice):
            _log.warning("%s", published.text)
        else:
            _log.info(
                "Attempt %d: %d ranks train from step %d",
                published.attempt,
                published.world_size,
                published.step,
            )

    def _show_evaluation(self, evaluation: Evaluation) -> None:
        self._warn(f"Evaluation at step {evaluation.step}", evaluation)
        values = format_values(evaluation.metrics, evaluation.metric_bounds)
        _log.info("Evaluation at step %d: %s", evaluation.step, values)

    def _warn(self, where: str, shown: Snapshot | Evaluation) -> None:
        for found, metrics in _by_error(shown.input_errors).items():
            _log.warning("%s: %s (%s)", where, found, ", ".join(metrics))
        for name, bound in shown.metric_bounds.items():
            # Once each: the bound stands beside every value.
            if bound > BOUND_SHOWN_ABOVE and name not in self._doubted:
                self._doubted.add(name)
                _log.warning(
                    "%s: %s can be off by %.3f: too many scores share a bin", where, name, bound
                )

    def _show_snapshot(self, snapshot: Snapshot) -> None:
        self._warn(f"Steps {snapshot.first_step} to {snapshot.end_step}", snapshot)
        if snapshot.non_finite:
            _log.warning(
                "Steps %d to %d: losses that are not finite: %s",
                snapshot.first_step,
                snapshot.end_step,
                " ".join(f"{name}:{count}" for name, count in snapshot.non_finite.items()),
            )
        if self._progress is not None:
            description = f"Training Epoch {snapshot.epoch}"
            self._update_task(
                "training",
                description,
                snapshot.end_step,
                self._total_steps,
                short_suffix(snapshot),
            )
        elif time.monotonic() - self._last_line >= self._interval_s:
            self._log_snapshot(snapshot)
        else:
            self._unlogged = snapshot

    def _log_snapshot(self, snapshot: Snapshot) -> None:
        self._last_line = time.monotonic()
        self._unlogged = None
        _log.info("%s", progress_line(snapshot))

    def _show_evaluation_progress(self, progress: EvaluationProgress) -> None:
        rate = progress.done / progress.seconds if progress.seconds > 0 else 0.0
        if self._progress is not None:
            description = f"Evaluating Step {progress.step}"
            self._update_task("evaluation", description, progress.done, progress.total, "")
        elif time.monotonic() - self._last_line >= self._interval_s:
            self._last_line = time.monotonic()
            _log.info("Evaluating Step %d: %dit [%.2fit/s]", progress.step, progress.done, rate)

    def _update_task(
        self, name: str, description: str, completed: int, total: int, suffix: str
    ) -> None:
        assert self._progress is not None
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(description, total=total, suffix="")
        self._progress.update(
            self._tasks[name],
            description=description,
            completed=completed,
            total=total,
            suffix=suffix,
        )

    def _end_task(self, name: str) -> None:
        if self._progress is not None and name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))


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


def terminal_handler(terminal: RichConsole) -> logging.Handler:
    """A log handler whose lines go above the live line of `terminal`."""
    return RichHandler(
        console=terminal, show_path=False, markup=False, highlighter=None, rich_tracebacks=False
    )


def _by_error(errors: InputErrors) -> dict[str, list[str]]:
    # The same scores are wrong for several metrics.
    metrics: dict[str, list[str]] = {}
    for metric, found in errors.items():
        for what, count in found.items():
            metrics.setdefault(f"{count:,} {what}", []).append(metric)
    return metrics


def _format_bound(bound: float) -> str:
    return f"(±{bound:.3f})" if bound > BOUND_SHOWN_ABOVE else ""
