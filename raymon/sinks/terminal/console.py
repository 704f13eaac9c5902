"""The output of a run on the terminal while it goes on."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from types import TracebackType

from raymon.log import set_log_context
from raymon.number_text import rate_text
from raymon.results import (
    EVALUATION,
    Alert,
    AttemptBegan,
    AttemptFailed,
    Evaluation,
    EvaluationProgress,
    InputErrors,
    Notice,
    Published,
    Snapshot,
    Stall,
)
from raymon.sinks.live_view import LiveView
from raymon.sinks.notebook.notebook_view import NotebookView
from raymon.sinks.terminal.live_bars import LiveBars
from raymon.sinks.terminal.log_fields import (
    alert_fields,
    attempt_fields,
    evaluation_fields,
    evaluation_progress_fields,
    progress_fields,
)
from raymon.sinks.terminal.log_output import LiveOutput
from raymon.sinks.terminal.progress_text import (
    alert_level,
    alert_text,
    progress_line,
    short_suffix,
)
from raymon.sinks.values_text import BOUND_SHOWN_ABOVE, format_values

_log = logging.getLogger("raymon")

_STALL_EVERY_S = 10.0
"""Seconds between two lines at least while no step is made."""


class Console:
    """Shows progress: one live line on a terminal or in a notebook, else throttled log lines.

    Args:
        total_steps: Steps of the run; None if the number is not known.
        interval_s: Seconds between two progress lines if the output is not a terminal.
        terminal: Terminal or notebook to draw on; None for log lines.
        shows_scores: Whether the scores of an evaluation are shown; if not, only what is wrong with
            them is shown.
    """

    def __init__(
        self,
        total_steps: int | None,
        interval_s: float,
        terminal: LiveOutput | None = None,
        *,
        shows_scores: bool = True,
    ) -> None:
        self._shows_scores = shows_scores
        self._total_steps = total_steps
        self._interval_s = interval_s
        self._last_line = -float("inf")
        self._unlogged: Snapshot | None = None
        self._bars = None if terminal is None else _live_view(terminal)
        self._step = 0
        self._last: Snapshot | None = None
        self._doubted: set[str] = set()
        self._non_finite: set[str] = set()
        self._wrong: InputErrors = {}
        self._without_value: set[tuple[str, str]] = set()

    def __enter__(self) -> Console:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._unlogged is not None:
            self._log_snapshot(self._unlogged)
        if self._bars is not None:
            self._bars.stop(kind)

    def show(self, published: Published) -> None:
        """Shows what the reporter published."""
        if self._bars is not None:
            self._bars.take(published)
        if isinstance(published, Snapshot):
            self._show_snapshot(published)
        elif isinstance(published, Evaluation):
            self._show_evaluation(published)
        elif isinstance(published, EvaluationProgress):
            self._show_evaluation_progress(published)
        elif isinstance(published, Alert):
            level, text = alert_level(published), alert_text(published)
            _log.log(level, "%s", text, extra=alert_fields(published))
        elif isinstance(published, Stall):
            self._show_stall(published)
        elif isinstance(published, Notice):
            _log.log(published.level, "%s", published.text, extra={"event": "notice"})
        elif isinstance(published, AttemptFailed):
            if published.goes_on:
                # The last failure of a run is what the run ends with.
                _log.warning(
                    "Attempt %d failed: %s; the workers are started again",
                    *(published.attempt, published.text),
                    extra={"event": "attempt_failed", "attempt": published.attempt},
                )
        else:
            self._begin_attempt(published)

    def _begin_attempt(self, began: AttemptBegan) -> None:
        self._step = began.step
        if self._unlogged is not None and self._unlogged.end_step > began.step:
            self._unlogged = None
        if self._bars is not None:
            self._bars.end("evaluation")
            if self._last is not None:
                self._draw(self._last)
        ranks = "1 rank trains" if began.world_size == 1 else f"{began.world_size} ranks train"
        set_log_context(attempt=began.attempt)
        text = f"Attempt {began.attempt}: {ranks} from step {began.step}"
        _log.info("%s", text, extra=attempt_fields(began))

    def _show_evaluation(self, evaluation: Evaluation) -> None:
        if self._bars is not None:
            self._bars.end("evaluation")
        self._warn(f"Evaluation at step {evaluation.step}", evaluation)
        if not self._shows_scores:
            return
        values = format_values(evaluation.metrics, evaluation.metric_bounds)
        text = f"Evaluation at step {evaluation.step}: {values}"
        _log.info("%s", text, extra=evaluation_fields(evaluation))

    def _warn(self, where: str, shown: Snapshot | Evaluation) -> None:
        for found, metrics in _by_error(self._news_of(shown)).items():
            _log.warning("%s: %s (%s)", where, found, ", ".join(metrics))
        for name, why in shown.no_value.items():
            if (name, why) not in self._without_value:
                self._without_value.add((name, why))
                _log.warning("%s: %s has no value: %s", where, name, why)
        for name, bound in shown.metric_bounds.items():
            # Once for each metric: the bound is shown with every value.
            if bound > BOUND_SHOWN_ABOVE and name not in self._doubted:
                self._doubted.add(name)
                _log.warning(
                    "%s: %s can be off by %.3f: too many scores share a bin", where, name, bound
                )

    def _news_of(self, shown: Snapshot | Evaluation) -> InputErrors:
        """Returns what is wrong with the input of metrics.

        For a window only what was not wrong in the one before.
        """
        if isinstance(shown, Evaluation):
            return shown.input_errors
        before, self._wrong = self._wrong, shown.input_errors
        return {
            metric: {w: count for w, count in found.items() if w not in before.get(metric, {})}
            for metric, found in shown.input_errors.items()
        }

    def _show_snapshot(self, snapshot: Snapshot) -> None:
        self._warn(f"Steps {snapshot.first_step} to {snapshot.end_step}", snapshot)
        self._show_non_finite(snapshot)
        # A window that was shown as late is shown again when it is complete: the bar stays.
        self._step = max(self._step, snapshot.end_step)
        self._last = snapshot
        if self._bars is not None:
            self._draw(snapshot)
        elif time.monotonic() - self._last_line >= self._interval_s:
            self._log_snapshot(snapshot)
        else:
            self._unlogged = snapshot

    def _show_stall(self, stall: Stall) -> None:
        if self._last is None:
            return
        shown = replace(self._last, stalled_s=stall.seconds)
        if self._bars is not None:
            self._draw(shown, stall.phase)
            return
        pause_s = max(self._interval_s, _STALL_EVERY_S)
        # An evaluation has lines of its own.
        if stall.phase != EVALUATION and time.monotonic() - self._last_line >= pause_s:
            self._log_snapshot(shown, stall.phase)

    def _show_non_finite(self, snapshot: Snapshot) -> None:
        # Only when it begins and when it is over: the count is shown with every value, and the log
        # of a run that has diverged would have nothing else.
        where = f"Steps {snapshot.first_step} to {snapshot.end_step}"
        new = {n: count for n, count in snapshot.non_finite.items() if n not in self._non_finite}
        if new:
            counts = " ".join(f"{name}:{count}" for name, count in new.items())
            _log.warning("%s: losses that are NaN or infinite, and in no mean: %s", where, counts)
        over = self._non_finite - snapshot.non_finite.keys()
        if over:
            _log.info("%s: finite again: %s", where, " ".join(sorted(over)))
        self._non_finite = set(snapshot.non_finite)

    def _draw(self, snapshot: Snapshot, phase: str = "") -> None:
        assert self._bars is not None
        self._bars.show(
            "training",
            f"Training Epoch {snapshot.epoch}",
            self._step,
            self._total_steps,
            short_suffix(snapshot, phase),
            stalls=snapshot.stalled_s > 0,
        )

    def _log_snapshot(self, snapshot: Snapshot, phase: str = "") -> None:
        self._last_line = time.monotonic()
        self._unlogged = None
        _log.info("%s", progress_line(snapshot, phase), extra=progress_fields(snapshot))

    def _show_evaluation_progress(self, progress: EvaluationProgress) -> None:
        rate = progress.done / progress.seconds if progress.seconds > 0 else 0.0
        if self._bars is not None:
            step = f"Evaluating Step {progress.step}"
            self._bars.show(
                "evaluation", step, progress.done, progress.total or None, f"{rate_text(rate)}it/s"
            )
        elif time.monotonic() - self._last_line >= self._interval_s:
            self._last_line = time.monotonic()
            text = f"Evaluating Step {progress.step}: {progress.done}it [{rate_text(rate)}it/s]"
            _log.info("%s", text, extra=evaluation_progress_fields(progress))


def _live_view(output: LiveOutput) -> LiveView:
    return output if isinstance(output, NotebookView) else LiveBars(output)


def _by_error(errors: InputErrors) -> dict[str, list[str]]:
    # The same scores may be wrong for several metrics.
    metrics: dict[str, list[str]] = {}
    for metric, found in errors.items():
        for what, count in found.items():
            metrics.setdefault(f"{count:,} {what}", []).append(metric)
    return metrics
