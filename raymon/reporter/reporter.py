"""The reporter: puts together what all workers measured, and publishes it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from raymon.metrics import TrainMetricWrapper
from raymon.monitor import SCHEMA_VERSION
from raymon.protos.report_pb2 import ReporterState, WindowReport
from raymon.reporter.collation import Collation
from raymon.reporter.folds import Folds
from raymon.reporter.period import Period
from raymon.reporter.state_files import StateFiles
from raymon.reporter.window_sum import WindowSum
from raymon.sinks import (
    AttemptBegan,
    Coverage,
    Evaluation,
    EvaluationProgress,
    Notice,
    Published,
    Sink,
    Snapshot,
)

_KEPT_PUBLICATIONS = 10_000


@dataclass
class Counts:
    """What the reporter saw: reports taken, reports that came twice, reports that it could not
    take, windows that workers dropped, and failures of sinks, of folds and on workers."""

    reports: int = 0
    duplicates: int = 0
    rejected: int = 0
    dropped: int = 0
    sink_failures: int = 0
    fold_failures: int = 0
    worker_failures: int = 0


class Reporter:
    """Merges the windows of all ranks, decays, computes, publishes, and keeps the state.

    Not safe for threads; its callers take turns.

    Args:
        model_dir: Directory of the run.
        sinks: Where the numbers go.
        log_step_count_steps: Steps that a snapshot covers.
        late_after_s: Seconds after which a window is published without the ranks that it lacks.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        model_dir: Path,
        sinks: Sequence[Sink],
        log_step_count_steps: int,
        late_after_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state_files = StateFiles(model_dir)
        self._sinks = sinks
        self._log_step_count_steps = log_step_count_steps
        self._late_after_s = late_after_s
        self._clock = clock
        self._attempt = 0
        self._token: str | None = None
        self._collation = Collation(0, 0)
        self._folds = Folds({})
        self._period = Period()
        self._samples = 0
        self._train_s = 0.0
        self._monitor_s = 0.0
        self._heard: dict[int, float] = {}
        self._dropped: dict[int, int] = {}
        self._failures: dict[int, int] = {}
        self._warned: set[str] = set()
        self._shown_late_at: float | None = None
        self._published: deque[Published] = deque(maxlen=_KEPT_PUBLICATIONS)
        self._published_count = 0
        self.counts = Counts()

    def begin_attempt(
        self,
        token: str,
        world_size: int,
        restored_step: int,
        metrics: Mapping[str, TrainMetricWrapper],
    ) -> int:
        """Begins a new attempt and takes back what was reported past the restored step.

        Args:
            token: Made by rank 0; a call that repeats it gets the same number.
            world_size: Ranks of the attempt.
            restored_step: Steps that the model has made, 0 for a new one.
            metrics: The train metrics by name, as prototypes.

        Returns:
            The number of the attempt, from 1. Reports of earlier ones are refused.
        """
        if token == self._token:
            return self._attempt
        self._attempt += 1
        self._token = token
        self._collation = Collation(self._attempt, world_size)
        self._folds = Folds(metrics)
        self._period = Period()
        self._samples, self._train_s, self._monitor_s = 0, 0.0, 0.0
        now = self._clock()
        self._heard = dict.fromkeys(range(world_size), now)
        self._shown_late_at = None
        self._restore(restored_step)
        self._for_each_sink(lambda sink: sink.roll_back(restored_step))
        self._publish(AttemptBegan(self._attempt, world_size, restored_step))
        return self._attempt

    def report(self, message: bytes) -> dict[str, float]:
        """Takes a serialised `WindowReport` of any rank, in any order, any number of times.

        What cannot be read, or is of an attempt that is over, is counted and dropped.

        Returns:
            The values of the train metrics by name.
        """
        try:
            report = WindowReport.FromString(message)
            if report.schema_version != SCHEMA_VERSION:
                raise ValueError(f"schema version {report.schema_version}, not {SCHEMA_VERSION}")
            if report.attempt != self._attempt:
                raise ValueError(f"attempt {report.attempt} is over; {self._attempt} is running")
            new = self._collation.add(report, self._clock())
        except (DecodeError, ValueError) as error:
            self.counts.rejected += 1
            self._warn("rejected", f"a report was dropped: {error}")
            return self._folds.values()
        self._heard[report.rank] = self._clock()
        self._dropped[report.rank] = report.dropped
        self._failures[report.rank] = report.failures
        self.counts.dropped = sum(self._dropped.values())
        self.counts.worker_failures = sum(self._failures.values())
        self.counts.reports += 1
        self.counts.duplicates += not new
        for window in self._collation.take_complete():
            self._close(window)
        return self._folds.values()

    def publish_evaluation(self, evaluation: Evaluation) -> None:
        """Publishes the scores of an evaluation."""
        self._publish(evaluation)
        self._for_each_sink(lambda sink: sink.write_evaluation(evaluation))

    def publish_evaluation_progress(self, step: int, done: int, total: int, seconds: float) -> None:
        """Publishes how far an evaluation is."""
        self._publish(EvaluationProgress(step, done, total, seconds))

    def published(self, since: int) -> tuple[list[Published], int]:
        """What was published after the first `since` publications, and the count of all."""
        self._publish_late()
        missing = min(self._published_count - since, len(self._published))
        newest = list(self._published)[len(self._published) - missing :] if missing > 0 else []
        return newest, self._published_count

    def status(self) -> dict[str, int | float]:
        """Counts since the start, attempts, samples, and the seconds of training and of its
        monitoring, each by the slowest rank."""
        return {
            **asdict(self.counts),
            "attempts": self._attempt,
            "samples": self._samples,
            "train_s": self._train_s,
            "monitor_s": self._monitor_s,
        }

    def close(self) -> None:
        """Publishes the steps that are left and closes the sinks."""
        self._publish_period()
        self._for_each_sink(lambda sink: sink.close())

    def _close(self, window: WindowSum) -> None:
        for name, error in self._folds.add(window).items():
            self.counts.fold_failures += 1
            self._warn(name, f"metric {name} was not folded: {type(error).__name__}: {error}")
        self._period.add(window)
        self._samples += window.samples
        self._train_s += window.wall_s
        self._monitor_s += window.phases.get("monitor", 0.0)
        self._shown_late_at = None
        if window.end_step % self._log_step_count_steps == 0:
            self._publish_period()
        if window.checkpoint:
            self._write_state(window.end_step)

    def _publish_period(self) -> None:
        snapshot = self._period.snapshot(
            self._folds,
            self._samples - self._period.samples,
            self._coverage(self._period.ranks or 0),
        )
        self._period = Period()
        if snapshot is not None:
            self._publish_snapshot(snapshot)

    def _publish_late(self) -> None:
        # Shown at most once every late_after_s, and never folded: the exact window follows
        # when the ranks that it lacks have reported it.
        now = self._clock()
        late = self._collation.incomplete()
        if not late or now - late[0].opened_at < self._late_after_s:
            return
        if self._shown_late_at is not None and now - self._shown_late_at < self._late_after_s:
            return
        self._shown_late_at = now
        folds, period = self._folds.copy(), Period()
        for window in late:
            folds.add(window)
            period.add(window)
        ranks = min(len(window.ranks) for window in late)
        snapshot = period.snapshot(folds, self._samples, self._coverage(ranks))
        if snapshot is not None:
            self._publish(snapshot)

    def _coverage(self, ranks: int) -> Coverage:
        oldest = min(self._heard.values(), default=self._clock())
        return Coverage(ranks, self._collation.world_size, self._clock() - oldest)

    def _publish_snapshot(self, snapshot: Snapshot) -> None:
        self._publish(snapshot)
        self._for_each_sink(lambda sink: sink.write(snapshot))

    def _publish(self, published: Published) -> None:
        self._published.append(published)
        self._published_count += 1

    def _state(self, end_step: int) -> ReporterState:
        return ReporterState(
            schema_version=SCHEMA_VERSION,
            end_step=end_step,
            samples=self._samples,
            train_s=self._train_s,
            monitor_s=self._monitor_s,
            metrics=self._folds.save(),
            period=self._period.save(),
        )

    def _restore(self, step: int) -> None:
        if step == 0:
            return
        try:
            state = self._state_files.read(step)
        except (OSError, DecodeError):
            state = None
        if state is None:
            self._warn("state", f"no state of step {step}: decayed metrics and counts begin anew")
            return
        for name in self._folds.restore(list(state.metrics)):
            self._warn(name, f"metric {name} is another one than before: it begins anew")
        if state.HasField("period"):
            self._period = Period.restore(state.period)
        self._samples = state.samples
        self._train_s, self._monitor_s = state.train_s, state.monitor_s

    def _write_state(self, end_step: int) -> None:
        try:
            self._state_files.write(self._state(end_step))
        except OSError as error:
            self._warn("write", f"the state of step {end_step} is not kept: {error}")

    def _for_each_sink(self, action: Callable[[Sink], None]) -> None:
        for sink in self._sinks:
            try:
                action(sink)
            except Exception as error:  # a sink that fails costs only itself
                self.counts.sink_failures += 1
                name = type(sink).__name__
                self._warn(name, f"{name}: {type(error).__name__}: {error}")

    def _warn(self, about: str, text: str) -> None:
        # Once about each thing: counts say how often.
        if about not in self._warned:
            self._warned.add(about)
            self._publish(Notice(f"monitoring: {text}"))
