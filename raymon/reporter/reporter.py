"""The reporter: puts together what all workers measured, and publishes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from raymon.metrics import TrainMetricWrapper
from raymon.monitor import SCHEMA_VERSION, Ack, Layout
from raymon.protos.report_pb2 import (
    EvaluationRecord,
    JournalRecord,
    ReporterState,
    WindowReport,
)
from raymon.reporter.account import Account
from raymon.reporter.collation import Attempt
from raymon.reporter.evaluation_record import from_record, to_record
from raymon.reporter.folds import Folds
from raymon.reporter.history import History, Replay, replay
from raymon.reporter.period import Period
from raymon.reporter.publications import Cursor, Publications
from raymon.reporter.ranks import Ranks
from raymon.reporter.store import Saved, Store
from raymon.reporter.window_sum import WindowSum
from raymon.sinks import (
    AttemptBegan,
    BackgroundSink,
    Coverage,
    Evaluation,
    EvaluationProgress,
    Notice,
    Published,
    RankState,
    Sink,
    Snapshot,
)

MAX_MESSAGE_BYTES = 64 << 20
"""A message that is larger is dropped."""


@dataclass
class Counts:
    """What the reporter saw since it started: reports that came twice, reports that it could not
    take, and failures of sinks, of folds and of the storage of the run."""

    duplicates: int = 0
    rejected: int = 0
    sink_failures: int = 0
    fold_failures: int = 0
    store_failures: int = 0


class Reporter:
    """Merges the windows of all ranks, decays, computes, publishes, and keeps the state.

    Every merged window is in a journal on the storage of the run before it is acknowledged, so
    that a reporter that starts anew goes on where the one before it ended.

    Not safe for threads; its callers take turns.

    Args:
        model_dir: Directory of the run; None keeps nothing.
        sinks: Where the numbers go.
        log_step_count_steps: Steps that a snapshot covers.
        late_after_s: Seconds after which a window is published without the ranks that it lacks.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        model_dir: Path | None,
        sinks: Sequence[Sink],
        log_step_count_steps: int,
        late_after_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = None if model_dir is None else Store(model_dir)
        self._sinks = sinks
        self._log_step_count_steps = log_step_count_steps
        self._late_after_s = late_after_s
        self._clock = clock
        self._history: History | None = None
        self._begun = False
        self._durable: dict[int, int] = {}
        self._folds = Folds({})
        self._period = Period()
        self._samples = 0
        self._train_s = 0.0
        self._monitor_s = 0.0
        self._account = Account()
        self._ranks = Ranks(0, 0, 0.0)
        self._evaluations: dict[int, EvaluationRecord] = {}
        # By attempt, the window that comes next; and the step that all windows so far reach.
        self._next: dict[int, int] = {}
        self._end_step = 0
        # The step from which on all is known.
        self._origin = 0
        self._warned: set[str] = set()
        self._shown_late_at: float | None = None
        # Made when it is asked for: the reporter is sent to the process that it runs in.
        self._made: Publications | None = None
        self._last: Snapshot | None = None
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
            The number of the attempt, from 1. What earlier ones did past the step is refused.
        """
        running = self._attempts().attempt
        if running is not None and running.token == token:
            self.go_on(token, metrics)
            return running.number
        number = 1 if running is None else running.number + 1
        attempt = Attempt(number, token, world_size, restored_step, Layout.of_metrics(metrics))
        if self._store is not None:
            self._try_to_store(lambda store: store.forget_after(restored_step))
        saved = self._load()
        past = replay(saved.state, saved.records)
        past.begin(attempt)
        self._journal(JournalRecord(attempt=attempt.to_message()))
        self._take_up(saved, past, metrics)
        self._publish(AttemptBegan(number, world_size, restored_step))
        self._flush()
        return number

    def go_on(self, token: str, metrics: Mapping[str, TrainMetricWrapper]) -> bool:
        """Takes the attempt up that was going on when the reporter before this one ended.

        Args:
            token: Of that attempt.
            metrics: Its train metrics by name, as prototypes.

        Returns:
            False where the run has gone on to another attempt, and nothing is taken up.
        """
        attempt = self._attempts().attempt
        if attempt is None or attempt.token != token:
            return False
        if not self._begun:
            saved = self._load()
            past = replay(saved.state, saved.records)
            self._take_up(saved, past, metrics)
            self._publish(Notice("monitoring: the reporter has started anew and goes on"))
        return True

    def report(self, message: bytes) -> Ack:
        """Takes a serialised `WindowReport` of any rank, in any order, any number of times.

        What cannot be read, or is of an attempt that is over, is counted and dropped.
        """
        history = self._attempts()
        if not self._begun:
            return self._ack()
        try:
            report = parse_report(message)
            now = self._clock()
            new = history.add(report, now)
        except Exception as error:  # whatever bytes may come
            self.counts.rejected += 1
            self._warn("rejected", f"a report was dropped: {error}")
            return self._ack(refused=str(error))
        self.counts.duplicates += not new
        if new and history.attempt is not None and report.attempt == history.attempt.number:
            self._ranks.hear(report, now)
        for window in history.take_complete():
            self._close(window)
        self._flush()
        return self._ack()

    def acknowledged(self) -> Ack:
        """What is durable by now."""
        self._attempts()
        self._flush()
        return self._ack()

    def publish_evaluation(self, evaluation: Evaluation) -> None:
        """Publishes the scores of an evaluation; once, however often it is called.

        Raises:
            OSError: They are not on the storage of the run yet.
        """
        self._attempts()
        record, known = to_record(evaluation), self._evaluations.get(evaluation.step)
        # As bytes, since NaN is not equal to itself.
        if known is None or known.SerializeToString() != record.SerializeToString():
            self._evaluations[evaluation.step] = record
            self._journal(JournalRecord(evaluation=record))
            self._write_evaluation(evaluation)
        if self._store is not None:
            self._store.flush()

    def publish_evaluation_progress(self, step: int, done: int, total: int, seconds: float) -> None:
        """Publishes how far an evaluation is."""
        self._publish(EvaluationProgress(step, done, total, seconds))

    def published(self, since: Cursor | None = None) -> tuple[list[Published], Cursor]:
        """What was published after a cursor, and the cursor behind it."""
        self._publish_late()
        self._flush()
        self._tell_of_sinks()
        return self._publications.since(since)

    def snapshot(self) -> Snapshot | None:
        """The newest numbers that are complete; None before the first."""
        return self._last

    def ranks(self) -> list[RankState]:
        """What is known of each rank of the attempt that is going on."""
        return self._ranks.states(self._clock())

    def status(self) -> dict[str, int | float | None]:
        """Counts of this reporter, figures of the run, and the seconds of training and of its
        monitoring, each by the slowest rank."""
        running, current = self._attempts().attempt, self._attempts().current
        return {
            **asdict(self.counts),
            "sink_failures": self.counts.sink_failures + self._failures_of_sinks(),
            **self._account.figures(),
            "end_step": self._end_step,
            "attempts": running.number if running else 0,
            "ranks_ended": current.ended if current else 0,
            "samples": self._samples,
            "train_s": self._train_s,
            "monitor_s": self._monitor_s,
        }

    def close(self) -> None:
        """Publishes the steps that are left and closes the sinks."""
        self._publish_period()
        self._for_each_sink(lambda sink: sink.close())
        self._tell_of_sinks()
        if self._store is not None:
            self._store.close()

    @property
    def _publications(self) -> Publications:
        if self._made is None:
            self._made = Publications()
        return self._made

    def _attempts(self) -> History:
        # One that has started anew knows of the attempt before it has its metrics.
        if self._history is None:
            saved = self._load()
            self._history = replay(saved.state, saved.records).history
            self._durable = self._history.closed
        return self._history

    def _take_up(
        self, saved: Saved, past: Replay, metrics: Mapping[str, TrainMetricWrapper]
    ) -> None:
        """Makes everything what it is after the history so far; sinks are written anew from the
        last state on, so that what they lack and what they have too much is put right."""
        attempt = past.history.attempt
        assert attempt is not None
        self._history, self._begun = past.history, True
        self._folds, self._period, self._account = Folds(metrics), Period(), Account()
        self._samples, self._train_s, self._monitor_s = 0, 0.0, 0.0
        self._shown_late_at = None
        self._origin = base = past.origin or 0
        self._next, self._end_step = {}, base
        for name in saved.unreadable:
            self._warn(name, f"{name} cannot be read: decayed metrics and counts may begin anew")
        if saved.state is not None:
            base = saved.state.end_step
            self._restore(saved.state)
        elif base > 0 and self._store is not None:
            self._warn("state", f"no state of step {base}: decayed metrics and counts begin anew")
        # What was written of steps that nothing is known of stays.
        evaluation_step = self._origin or -1
        self._for_each_sink(lambda sink: sink.roll_back(base, evaluation_step))
        for window in past.windows:
            self._apply(window)
        self._evaluations = past.evaluations
        for record in sorted(self._evaluations.values(), key=lambda record: record.step):
            self._write_evaluation(from_record(record), published=record.step >= base)
        self._ranks = Ranks(attempt.world_size, attempt.restored_step, self._clock())
        self._durable = self._history.closed

    def _restore(self, state: ReporterState) -> None:
        for name in self._folds.restore(state):
            self._warn(name, f"metric {name} is another one than before: it begins anew")
        if state.HasField("period"):
            self._period = Period.restore(state.period)
        self._samples = state.samples
        self._train_s, self._monitor_s = state.train_s, state.monitor_s
        self._account = Account.from_message(state.account)
        self._next = {attempt.number: attempt.closed for attempt in state.attempts}
        self._end_step = state.end_step

    def _close(self, window: WindowSum) -> None:
        """A window is complete: it is journalled, and counts."""
        self._journal(JournalRecord(window=window.to_message()))
        self._apply(window)
        if window.checkpoint:
            self._write_state(window.end_step)

    def _apply(self, window: WindowSum) -> None:
        for name, error in self._folds.add(window).items():
            self.counts.fold_failures += 1
            self._warn(name, f"metric {name} was not folded: {type(error).__name__}: {error}")
        self._period.add(window)
        self._account.add(window, self._lost_before(window))
        self._samples += window.samples
        self._train_s += window.wall_s
        self._monitor_s += window.phases.get("monitor", 0.0)
        self._shown_late_at = None
        if window.end_step % self._log_step_count_steps == 0:
            self._publish_period()

    def _lost_before(self, window: WindowSum) -> int:
        """Windows of single ranks that are missing from this one and between it and the last."""
        collation = self._attempts().collation(window.attempt)
        expected = collation.attempt.world_size - len(collation.ended_before(window.index))
        skipped = window.index - self._next.get(window.attempt, 0)
        self._next[window.attempt] = window.index + 1
        if window.first_step > self._end_step:
            gap = f"steps {self._end_step} to {window.first_step}"
            self._warn(gap, f"{gap} were not reported: they are in no number")
        self._end_step = window.end_step
        return max(0, skipped) * expected + expected - len(window.ranks)

    def _publish_period(self) -> None:
        snapshot = self._period.snapshot(
            self._folds,
            self._samples - self._period.samples,
            self._coverage(self._period.ranks or 0),
        )
        self._period = Period()
        if snapshot is not None:
            self._last = snapshot
            self._publish(snapshot)
            self._for_each_sink(lambda sink: sink.write(snapshot))

    def _publish_late(self) -> None:
        # Shown at most once every late_after_s, and never folded: the exact window follows
        # when the ranks that it lacks have reported it.
        now, history = self._clock(), self._attempts()
        since = history.waits_since
        if since is None or now - since < self._late_after_s:
            return
        if self._shown_late_at is not None and now - self._shown_late_at < self._late_after_s:
            return
        self._shown_late_at = now
        late = history.incomplete()
        folds, period = self._folds.copy(), Period()
        for window in late:
            folds.add(window)
            period.add(window)
        ranks = min(len(window.ranks) for window in late)
        snapshot = period.snapshot(folds, self._samples, self._coverage(ranks))
        if snapshot is not None:
            self._publish(snapshot)

    def _coverage(self, ranks: int) -> Coverage:
        attempt = self._attempts().attempt
        world_size = attempt.world_size if attempt else 0
        return Coverage(ranks, world_size, self._ranks.oldest_s(self._clock()))

    def _write_evaluation(self, evaluation: Evaluation, published: bool = True) -> None:
        if published:
            self._publish(evaluation)
        self._for_each_sink(lambda sink: sink.write_evaluation(evaluation))

    def _publish(self, published: Published) -> None:
        self._publications.add(published)

    def _ack(self, refused: str | None = None) -> Ack:
        running = self._attempts().attempt
        return Ack(
            life=self._publications.life,
            attempt=running.number if running else 0,
            begun=self._begun,
            durable=self._durable,
            values=self._folds.values(),
            refused=refused,
        )

    def _load(self) -> Saved:
        saved = Saved(None, [], [])
        if self._store is not None:
            try:
                saved = self._store.load()
            except OSError as error:
                self.counts.store_failures += 1
                self._warn("load", f"what was kept of the run cannot be read: {error}")
        return saved

    def _journal(self, record: JournalRecord) -> None:
        if self._store is not None:
            self._store.append(record)

    def _flush(self) -> None:
        if self._try_to_store(lambda store: store.flush()) and self._history is not None:
            self._durable = self._history.closed

    def _write_state(self, end_step: int) -> None:
        state = ReporterState(
            schema_version=SCHEMA_VERSION,
            end_step=end_step,
            samples=self._samples,
            train_s=self._train_s,
            monitor_s=self._monitor_s,
            period=self._period.save(),
            attempts=self._attempts().to_messages(),
            account=self._account.to_message(),
            evaluations=self._evaluations.values(),
            origin_step=self._origin,
        )
        self._folds.save(state)
        self._try_to_store(lambda store: store.write_state(state))

    def _try_to_store(self, action: Callable[[Store], None]) -> bool:
        if self._store is None:
            return True
        try:
            action(self._store)
        except OSError as error:
            self.counts.store_failures += 1
            self._warn("store", f"the storage of the run fails: {error}; it is tried again")
            return False
        return True

    def _for_each_sink(self, action: Callable[[Sink], None]) -> None:
        for sink in self._sinks:
            try:
                action(sink)
            except Exception as error:  # a sink that fails costs only itself
                self.counts.sink_failures += 1
                name = type(sink).__name__
                self._warn(name, f"{name}: {type(error).__name__}: {error}")

    def _failures_of_sinks(self) -> int:
        background = (sink for sink in self._sinks if isinstance(sink, BackgroundSink))
        return sum(sink.failures + sink.dropped for sink in background)

    def _tell_of_sinks(self) -> None:
        for sink in self._sinks:
            if isinstance(sink, BackgroundSink):
                for text in sink.take_notices():
                    self._publish(Notice(f"monitoring: {text}"))

    def _warn(self, about: str, text: str) -> None:
        # Once about each thing: counts say how often.
        if about not in self._warned:
            self._warned.add(about)
            self._publish(Notice(f"monitoring: {text}"))


def parse_report(message: bytes) -> WindowReport:
    """The report of a message.

    Raises:
        ValueError: It is too large, or of another schema.
        DecodeError: It is none.
    """
    if len(message) > MAX_MESSAGE_BYTES:
        raise ValueError(f"{len(message):,} bytes, more than {MAX_MESSAGE_BYTES:,}")
    report = WindowReport.FromString(message)
    if report.schema_version != SCHEMA_VERSION:
        raise ValueError(f"schema version {report.schema_version}, not {SCHEMA_VERSION}")
    return report
