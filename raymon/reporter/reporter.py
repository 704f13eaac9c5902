"""The reporter: merges what all workers measured, and publishes it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from raymon.diagnosis import Check, last_phase
from raymon.errors import os_reason, reason
from raymon.metrics import TrainMetricWrapper
from raymon.protos.report_pb2 import (
    EvaluationRecord,
    JournalRecord,
    ReporterState,
    WindowReport,
)
from raymon.reporter.numbers.run_metrics import RunMetrics
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.publishing.publisher import Publisher
from raymon.reporter.store.evaluation_record import (
    forget_old_curves,
    from_record,
    is_same,
    to_record,
)
from raymon.reporter.store.journal import JournalGoneError
from raymon.reporter.store.store import Saved, Store
from raymon.reporter.watch import Watch
from raymon.reporter.windows.collation import Attempt
from raymon.reporter.windows.history import History, Replay, replay
from raymon.reporter.windows.ranks import Ranks
from raymon.reporter.windows.starting_ranks import StartingRanks
from raymon.reporter.windows.window_sum import WindowSum
from raymon.results import (
    HANG,
    SAVES_FAILED,
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Coverage,
    Evaluation,
    EvaluationProgress,
    Failure,
    Finding,
    Health,
    Notice,
    Published,
    RankState,
    ReporterStatus,
    RunEnded,
    Snapshot,
    Stall,
)
from raymon.retries import retrying
from raymon.run_dir import naming, write_failure
from raymon.sinks import Sink, read_alerts
from raymon.storage import StoragePath
from raymon.wire import (
    OF_A_METRIC,
    SCHEMA_VERSION,
    Ack,
    Layout,
    RankAnswer,
    RankRequest,
    decode_heartbeats,
)

MAX_MESSAGE_BYTES = 64 << 20
"""Most bytes of a message; a larger one is dropped."""

_STALLED_S, _STALLED_STEPS = 5.0, 3.0
"""Seconds, and usual lengths of a step, without a step after which a rate is none of now."""

_MOST_MISSING = 8
"""Ranks that are named, of those that are missing in what is shown."""

_LOAD_PAUSES_S = (0.5, 1.0, 2.0)
"""Seconds between attempts to read the store, which has the past of the run."""


@dataclass
class Counts:
    """What the reporter saw since it started.

    Attributes:
        duplicates: Reports that came twice.
        refused: Reports that could not be taken.
        store_failures: Failures of the storage of the run.
    """

    duplicates: int = 0
    refused: int = 0
    store_failures: int = 0


class Reporter:
    """Merges the windows of all ranks, computes and publishes the numbers, and keeps its state.

    Every merged window is in a journal on the storage of the run before it is acknowledged, so that
    a restarted reporter continues where its predecessor ended.

    Not thread-safe; its callers take turns.

    Args:
        model_dir: Directory of the run; None keeps nothing.
        sinks: Sinks that the numbers are written to.
        log_step_count_steps: Number of steps that a snapshot covers.
        late_after_s: Seconds after which an incomplete window is published as it is.
        clock: Monotonic clock, in seconds.
        checks: Checks of the health of the run.

    Attributes:
        counts: What the reporter saw since it started.
    """

    def __init__(
        self,
        model_dir: StoragePath | None,
        sinks: Sequence[Sink],
        log_step_count_steps: int,
        late_after_s: float,
        clock: Callable[[], float] = time.monotonic,
        checks: Sequence[Check] = (),
    ) -> None:
        self._model_dir = model_dir
        self._store = None if model_dir is None else Store(model_dir)
        self._publisher = Publisher(sinks)
        self._log_step_count_steps = log_step_count_steps
        self._late_after_s = late_after_s
        self._clock = clock
        self._history: History | None = None
        self._begun = False
        self._failed = 0
        self._durable: dict[int, int] = {}
        self._run_metrics = RunMetrics({}, 0, self._publisher.warn)
        self._ranks = Ranks(0, 0, 0.0)
        self._starting = StartingRanks()
        self._watch = Watch(checks, self._count_check, clock)
        # The alerts before this process began; None until they are read.
        self._told: list[Alert] | None = None
        self._evaluations: dict[int, EvaluationRecord] = {}
        # The step from which on everything is known.
        self._origin = 0
        self._shown_late_at: float | None = None
        # Storage that does not answer must not take all the time of the callers.
        self._flush_not_before = 0.0
        self._shown: Coverage | None = None
        self.counts = Counts()
        self._store_reasons: Counter[str] = Counter()
        self._publishes_worker_failures = False
        self._storage_fails = False
        self._request: RankRequest | None = None
        self._rank_answers: dict[int, RankAnswer] = {}

    def begin_attempt(
        self,
        token: str,
        world_size: int,
        restored_step: int,
        metrics: Mapping[str, TrainMetricWrapper],
    ) -> int:
        """Begins a new attempt, and takes back what was reported past the restored step.

        Args:
            token: Token made by rank 0; a call that repeats it gets the same number.
            world_size: Number of ranks of the attempt.
            restored_step: Steps that the model has made; 0 for a new one.
            metrics: Train metrics by name, as prototypes.

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
        self._publisher.begin_attempt(AttemptBegan(number, world_size, restored_step))
        self._flush()
        return number

    def go_on(self, token: str, metrics: Mapping[str, TrainMetricWrapper]) -> bool:
        """Continues the attempt that was running when the predecessor of this reporter ended.

        Args:
            token: Token of that attempt.
            metrics: Its train metrics by name, as prototypes.

        Returns:
            False if the run is in another attempt by now; nothing is changed then.
        """
        attempt = self._attempts().attempt
        if attempt is None or attempt.token != token:
            return False
        if not self._begun:
            saved = self._load()
            past = replay(saved.state, saved.records)
            # Before its numbers: the driver may not have heard of it yet.
            began = AttemptBegan(attempt.number, attempt.world_size, attempt.restored_step)
            self._publisher.begin_attempt(began)
            self._take_up(saved, past, metrics)
            self._publisher.publish(Notice("monitoring: the reporter has started anew and goes on"))
            # Those that the driver has not asked for yet; it knows those that it has shown.
            for alert in self._told or ():
                if alert.attempt == attempt.number:
                    self._publisher.publish(alert)
        return True

    def report(self, message: bytes) -> Ack:
        """Takes a serialised `WindowReport` of any rank, in any order, any number of times.

        A message that cannot be read, or is of an attempt that is over, is counted and dropped.

        Returns:
            What is durable by now, and why the message was refused if it was.
        """
        history = self._attempts()
        if not self._begun:
            return self._ack()
        try:
            report = parse_report(message)
            now = self._clock()
            new = history.add(report, now)
        except Exception as error:  # whatever bytes may come
            self.counts.refused += 1
            self._publisher.warn("refused", f"a report was dropped: {error}")
            return self._ack(refused=str(error))
        self.counts.duplicates += not new
        if new and history.attempt is not None and report.attempt == history.attempt.number:
            self._ranks.hear(report, now)
        self._close_complete()
        return self._ack()

    def beat(self, message: bytes) -> Ack:
        """Takes serialised `Heartbeats`; those of an attempt that is over are dropped."""
        running, now = self._attempts().attempt, self._clock()
        number = running.number if running and self._begun else -1
        try:
            for beat in decode_heartbeats(message):
                # Workers that start do not know their attempt yet.
                starts = not beat.attempt and self._starting.beat(beat, now)
                if not starts and beat.attempt in (0, number) and number > 0:
                    self._ranks.beat(beat, now)
        except Exception as error:  # whatever bytes may come
            self.counts.refused += 1
            self._publisher.warn("refused", f"a heartbeat was dropped: {error}")
            return self._ack(refused=str(error))
        self._look()
        return self._ack()

    def acknowledged(self) -> Ack:
        """Returns what is durable by now."""
        self._attempts()
        self._flush()
        return self._ack()

    def give_up(self, ranks: Sequence[int]) -> None:
        """Goes on without ranks that are not there; what they report later counts from then on."""
        current = self._attempts().current
        if current is not None:
            current.give_up(ranks)
            self._ranks.give_up(ranks)
            self._close_complete()

    @property
    def waits_s(self) -> float:
        """The seconds for which the oldest window has waited for other ranks; 0 without one."""
        since = self._attempts().waits_since
        return 0.0 if since is None else self._clock() - since

    def look(self) -> None:
        """Looks at once whether something is wrong, for who knows that it is."""
        self._watch.hurry()
        self._look()

    def publish_evaluation(self, evaluation: Evaluation) -> None:
        """Publishes the scores of an evaluation; repeated calls publish them only once.

        Raises:
            OSError: They are not on the storage of the run yet.
        """
        self._attempts()
        record, known = to_record(evaluation), self._evaluations.get(evaluation.step)
        if known is None or not is_same(known, record):
            self._evaluations[evaluation.step] = record
            self._journal(JournalRecord(evaluation=record))
            self._publisher.write_evaluation(evaluation)
        if self._store is not None:
            try:
                self._store.flush()
            except JournalGoneError:
                self._write_again()
                self._store.flush()

    def publish_notice(self, text: str, level: int = logging.WARNING) -> None:
        """Publishes a line for the people who watch the run.

        Args:
            text: The line.
            level: Level at which it is logged.
        """
        self._publisher.publish(Notice(text, level))

    def publish_evaluation_progress(self, step: int, done: int, total: int, seconds: float) -> None:
        """Publishes the progress of the evaluation at `step`: `done` of `total` in `seconds`."""
        self._publisher.publish(EvaluationProgress(step, done, total, seconds))

    def publish_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        """Writes to the sinks that a checkpoint is complete."""
        self._publisher.write_checkpoint(checkpoint)

    def publish_failure(self, failure: Failure) -> AttemptFailed:
        """Publishes the failure of an attempt, and writes all that is known of it to a file.

        Returns:
            The failure as it is shown, with the file that has the rest.
        """
        running = self._attempts().attempt
        number = running.number if running else 0
        if not self._begun or number == self._failed:
            # It failed before its ranks began it.
            number += 1
        self._failed, words = number, self._publisher.last_words
        hang = next((found for found in self._watch.on if found.kind == HANG), None)
        if hang is not None and failure.killed:
            # Whoever ended the process of a rank that hung, did it for that.
            failure = replace(failure, text=f"{hang.text}; {failure.text}")
        whole = words.whole(failure, number, self._ranks.states(self._clock()))
        path = write_failure(whole, self._model_dir, number)
        failed = AttemptFailed(number, naming(words.line(failure), path), failure.goes_on)
        self._publisher.fail_attempt(failed)
        return failed

    def ask_ranks(self, request: RankRequest | None) -> None:
        """Asks the ranks to do something, in place of what they were asked before.

        It is known in this process alone: a reporter that was started again has to be told again.

        Args:
            request: What to do; None if what was asked is done.
        """
        self._request, self._rank_answers = request, {}

    def answer_request(self, answer: RankAnswer) -> None:
        """Takes what a rank did that it was asked for; answers to earlier requests are ignored."""
        if self._request is not None and answer.number == self._request.number:
            self._rank_answers[answer.rank] = answer

    def rank_answers(self) -> tuple[int | None, list[RankAnswer]]:
        """Returns the number of the request that the ranks have, and their answers in order."""
        number = None if self._request is None else self._request.number
        return number, [self._rank_answers[rank] for rank in sorted(self._rank_answers)]

    def published(self, since: Cursor | None = None) -> tuple[list[Published], Cursor]:
        """Returns what was published after a cursor, and the next cursor."""
        self._publish_late()
        self._look()
        self._flush()
        news, cursor = self._publisher.since(since)
        stalled_s = self._stalled_s()
        # Of this moment alone: it is no news to those who ask later.
        stall = [Stall(stalled_s, last_phase(self.ranks()))] if stalled_s else []
        return [*news, *stall], cursor

    def snapshot(self) -> Snapshot | None:
        """Returns the newest complete snapshot; None before the first."""
        return self._publisher.last

    def ranks(self) -> list[RankState]:
        """Returns what is known of each rank of the attempt that is going on."""
        now = self._clock()
        starting = self._starting.states(now)
        return self._ranks.states(now) if starting is None else starting

    def findings(self) -> list[Finding]:
        """Returns what is wrong with the run at this moment."""
        return self._watch.on

    def status(self) -> ReporterStatus:
        """Returns the counts of this reporter, the totals of the run, and reasons of failures."""
        running, current = self._attempts().attempt, self._attempts().current
        run = self._run_metrics.figures()
        return ReporterStatus(
            run=run,
            attempts=running.number if running else 0,
            ranks_ended=current.ended if current else 0,
            duplicates=self.counts.duplicates,
            refused=self.counts.refused,
            store_failures=self.counts.store_failures,
            sink_failures=self._publisher.failures,
            alerts=self._watch.figures,
            failure_reasons={
                **run.monitoring.worker_reasons,
                **run.fold_reasons,
                **self._store_reasons,
                **self._publisher.failure_reasons,
            },
        )

    def health(self) -> Health:
        """Returns the health of the run: what is known of it apart from its numbers."""
        status = self.status()
        return Health(
            attempt=status.attempts,
            ranks=self.ranks(),
            coverage=self._shown,
            checkpoint_step=status.run.checkpoint_step,
            windows_lost=status.run.monitoring.windows_lost,
            sink_failures=status.sink_failures,
            saves_failed=status.run.monitoring.save_counts.get(SAVES_FAILED, 0),
            alerts=status.alerts,
            stalled_s=self._stalled_s(),
        )

    def add_sink(self, sink: Sink) -> None:
        """Adds a sink; to be called before anything else."""
        self._publisher.add(sink)

    def publish_worker_failures(self) -> None:
        """Starts to publish why monitoring fails on workers, whose logs few people read."""
        self._publishes_worker_failures = True

    def call_on_notice(self, listener: Callable[[Notice], None]) -> None:
        """Registers a function that gets every notice, in the reporter's process."""
        self._publisher.on_notice = listener

    def close(self, ended: RunEnded | None = None) -> None:
        """Publishes the steps that are left, and closes the sinks.

        Args:
            ended: How the run ended; None if the caller does not say.
        """
        self._publish_interval()
        self._look()
        if ended is not None:
            self._publisher.end_run(ended)
        self._publisher.close()
        if self._store is not None:
            self._store.close()

    def _attempts(self) -> History:
        # A restarted reporter knows the attempts from storage before a worker sends the metrics.
        if self._history is None:
            saved = self._load()
            self._history = replay(saved.state, saved.records).history
            self._durable = self._history.closed
        return self._history

    def _take_up(
        self, saved: Saved, past: Replay, metrics: Mapping[str, TrainMetricWrapper]
    ) -> None:
        """Restores what this reporter knows after the history so far.

        Sinks are rolled back to the last state and written again from there, so that nothing is
        missing in them, and nothing is left that was taken back.
        """
        attempt = past.history.attempt
        assert attempt is not None
        self._history, self._begun = past.history, True
        self._shown_late_at = self._shown = None
        self._origin = base = past.origin or 0
        self._run_metrics = RunMetrics(metrics, base, self._publisher.warn)
        for name in saved.unreadable:
            text = f"{name} cannot be read: decayed metrics and counts may begin anew"
            self._publisher.warn(name, text)
        if saved.state is not None:
            base = saved.state.end_step
            self._run_metrics.restore(saved.state)
        elif base > 0 and self._store is not None:
            text = f"no state of step {base}: decayed metrics and counts begin anew"
            self._publisher.warn("state", text)
        # Nothing is known of steps before `_origin`, so what sinks have of them stays.
        self._publisher.roll_back(base, self._origin or -1)
        self._restore_alerts()
        self._watch.begin_attempt(base)
        for window in past.windows:
            self._apply(window)
        self._evaluations = past.evaluations
        for record in sorted(self._evaluations.values(), key=lambda record: record.step):
            self._publisher.write_evaluation(from_record(record), published=record.step >= base)
        now, before = self._clock(), self._ranks.stepped_at if self._publisher.last else None
        self._ranks = Ranks(attempt.world_size, attempt.restored_step, now, before)
        self._starting.begin_attempt(self._clock())
        self._durable = self._history.closed

    def _close_complete(self) -> None:
        for window in self._attempts().take_complete():
            self._close(window)
            # After each: what begins and ends between two looks would never be told.
            self._look()
        self._look()
        self._flush()

    def _close(self, window: WindowSum) -> None:
        """Writes a complete window to the journal, and counts it."""
        self._journal(JournalRecord(window=window.to_message()))
        self._apply(window)
        if window.checkpoint:
            # After a restart, sinks are written again only from the state on: all before it must
            # have reached them now.
            self._publisher.flush()
            self._write_state(window.end_step)

    def _apply(self, window: WindowSum) -> None:
        collation = self._attempts().collation(window.attempt)
        ended = collation.ended_before(window.index)
        self._run_metrics.add(window, collation.attempt.world_size - len(ended))
        for why in window.failure_reasons if self._publishes_worker_failures else ():
            # A train metric's is told with its value.
            if not why.startswith(OF_A_METRIC):
                self._publisher.warn(why, f"on a worker: {why}")
        self._shown_late_at = None
        if window.end_step % self._log_step_count_steps == 0:
            self._publish_interval()

    def _publish_interval(self) -> None:
        snapshot = self._run_metrics.take_snapshot(self._coverage(self._run_metrics.ranks))
        if snapshot is not None:
            self._shown = snapshot.coverage
            self._publisher.write(snapshot)
            self._watch.see(snapshot)

    def _look(self) -> None:
        starts = self._starting.are_there
        if self._begun or starts:
            step, running = self._run_metrics.end_step, self._attempts().attempt
            attempt = (running.number if running else 0) + starts
            # The workers of an attempt that has failed are no more: they do not hang.
            ranks = list if attempt == self._failed and not starts else self.ranks
            for alert in self._watch.look(ranks, attempt, step):
                self._publisher.write_alert(alert)

    def _restore_alerts(self) -> None:
        if self._told is not None or self._model_dir is None:
            return
        self._told = []
        try:
            self._told = read_alerts(self._model_dir)
        except Exception as error:  # training begins without them
            self._publisher.warn("alerts", f"earlier alerts cannot be read: {reason(error)}")
        self._watch.restore(self._told)

    def _count_check(self, error: Exception) -> None:
        why = f"a check failed and is left out: {type(error).__name__}: {error}"
        self._publisher.warn(why, why)

    def _publish_late(self) -> None:
        # Shown at most once every late_after_s, and never folded: the exact window follows
        # when the missing ranks have reported it.
        now, history = self._clock(), self._attempts()
        since = history.waits_since
        if since is None or now - since < self._late_after_s:
            return
        if self._shown_late_at is not None and now - self._shown_late_at < self._late_after_s:
            return
        stalled_s = self._stalled_s()
        if stalled_s and self._shown_late_at is not None:
            return  # nothing is new but for how long, which `Stall` says
        self._shown_late_at = now
        late = history.incomplete()
        covered = min((window.ranks for window in late), key=len)
        snapshot = self._run_metrics.snapshot_with(late, self._coverage(len(covered), covered))
        if snapshot is not None:
            self._shown = snapshot.coverage
            self._publisher.publish(replace(snapshot, rank_numbers=None, stalled_s=stalled_s))

    def _stalled_s(self) -> float:
        """Returns for how long no rank has made a step, if that is longer than usual; else 0."""
        last, stalled_s = self._publisher.last, self._ranks.stalled_s(self._clock())
        rate = last.steps_per_second if last is not None else 0.0
        usual_s = max(_STALLED_S, _STALLED_STEPS / rate if rate > 0 else 0.0)
        return stalled_s if stalled_s is not None and stalled_s > usual_s else 0.0

    def _coverage(self, ranks: int, covered: Set[int] | None = None) -> Coverage:
        attempt = self._attempts().attempt
        world_size = attempt.world_size if attempt else 0
        missing = [] if covered is None else sorted(set(range(world_size)) - covered)
        oldest_s = self._ranks.oldest_s(self._clock())
        return Coverage(ranks, world_size, oldest_s, tuple(missing[:_MOST_MISSING]))

    def _ack(self, refused: str | None = None) -> Ack:
        running = self._attempts().attempt
        return Ack(
            life=self._publisher.life,
            attempt=running.number if running else 0,
            begun=self._begun,
            durable=self._durable,
            values=self._run_metrics.values(),
            refused=refused,
            storage_fails=self._storage_fails,
            request=self._request,
        )

    def _load(self) -> Saved:
        if self._store is None:
            return Saved(None, [], [])

        def is_of_storage(error: BaseException) -> bool:
            if not isinstance(error, OSError):
                return False
            self.counts.store_failures += 1
            self._store_reasons[f"what was kept cannot be read: {os_reason(error)}"] += 1
            return True

        try:
            return retrying(_LOAD_PAUSES_S, is_of_storage)(self._store.load)
        except OSError as error:
            self._publisher.warn("load", f"what was kept of the run cannot be read: {error}")
            return Saved(None, [], [])

    def _journal(self, record: JournalRecord) -> None:
        if self._store is not None:
            self._store.append(record)

    def _flush(self) -> None:
        began = time.monotonic()
        if began < self._flush_not_before:
            return
        if not self._try_to_store(lambda store: store.flush()):
            now = time.monotonic()
            self._flush_not_before = now + (now - began)
        elif self._history is not None:
            self._durable = self._history.closed

    def _write_state(self, end_step: int) -> bool:
        forget_old_curves(self._evaluations, end_step)
        state = ReporterState(
            schema_version=SCHEMA_VERSION,
            end_step=end_step,
            attempts=self._attempts().to_messages(),
            evaluations=self._evaluations.values(),
            origin_step=self._origin,
        )
        self._run_metrics.save(state)
        return self._try_to_store(lambda store: store.write_state(state))

    def _write_again(self) -> bool:
        """Writes all that is known again, after its files were deleted."""
        end_step = self._run_metrics.end_step
        self._publisher.publish(
            Notice(
                "monitoring: files in monitor/ were deleted and are made again; after a restart "
                f"from before step {end_step} decayed metrics and counts begin anew"
            )
        )
        return self._write_state(end_step)

    def _try_to_store(self, action: Callable[[Store], None]) -> bool:
        if self._store is None:
            return True
        try:
            action(self._store)
        except JournalGoneError:
            return self._write_again()
        except OSError as error:
            self.counts.store_failures += 1
            self._store_reasons[f"the storage of the run fails: {os_reason(error)}"] += 1
            self._storage_fails = True
            self._publisher.warn(
                "store", f"the storage of the run fails: {error}; it is tried again"
            )
            return False
        if self._storage_fails:
            self._storage_fails = False
            self._publisher.publish(Notice("monitoring: the storage of the run takes all again"))
        return True


def parse_report(message: bytes) -> WindowReport:
    """Returns the report of a message.

    Raises:
        ValueError: The message is too large, or of another schema version.
        DecodeError: The message is not a report.
    """
    if len(message) > MAX_MESSAGE_BYTES:
        raise ValueError(f"{len(message):,} bytes, more than {MAX_MESSAGE_BYTES:,}")
    report = WindowReport.FromString(message)
    if report.schema_version != SCHEMA_VERSION:
        raise ValueError(f"schema version {report.schema_version}, not {SCHEMA_VERSION}")
    return report
