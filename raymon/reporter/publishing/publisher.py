"""Publishes the reporter's numbers to readers that poll it, and writes them to sinks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from raymon.reporter.publishing.last_words import LastWords
from raymon.reporter.publishing.publications import Cursor, Publications
from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    Notice,
    Published,
    RunEnded,
    Snapshot,
)
from raymon.sinks import BackgroundSink, RunSink, Sink

_AnySink = TypeVar("_AnySink", bound=Sink)

_FLUSH_S = 2.0
"""Seconds within which the numbers of a checkpoint have to reach the sinks."""


class Publisher:
    """Publishes what the reporter has, and writes it to sinks.

    A sink that raises is counted and shown in a notice; the others and the reporter go on.

    Args:
        sinks: Sinks that the numbers are written to.

    Attributes:
        on_notice: Called with every notice, in the process of the reporter; None for
            nobody.
        last: The newest snapshot that all ranks are in; None before the first.
        last_words: What was said and measured last.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = list(sinks)
        self._failures = 0
        self._reasons: Counter[str] = Counter()
        self._warned: set[str] = set()
        # Made at first use: the reporter is pickled and sent to the process that it runs in.
        self._made: Publications | None = None
        self._flushing: dict[int, threading.Event] = {}
        self.on_notice: Callable[[Notice], None] | None = None
        self.last: Snapshot | None = None
        self.last_words = LastWords()

    @property
    def life(self) -> str:
        """Id of the process; a restarted reporter has another one."""
        return self._publications.life

    @property
    def failures(self) -> int:
        """Number of calls to sinks that failed for good, and of writes that were dropped."""
        background = [sink for sink in self._sinks if isinstance(sink, BackgroundSink)]
        return self._failures + sum(sink.failures + sink.dropped for sink in background)

    @property
    def failure_reasons(self) -> dict[str, int]:
        """Number of `failures` by reason."""
        found = Counter(self._reasons)
        for sink in self._sinks:
            if isinstance(sink, BackgroundSink):
                found.update(sink.failure_reasons)
        return dict(found)

    def add(self, sink: Sink) -> None:
        """Adds a sink, which gets everything from now on."""
        self._sinks.append(sink)

    def publish(self, published: Published) -> None:
        """Publishes something to readers that poll the reporter."""
        self._publications.add(published)
        self.last_words.hear(published)
        if isinstance(published, Notice) and self.on_notice is not None:
            self.on_notice(published)

    def warn(self, about: str, text: str) -> None:
        """Publishes a notice that something is wrong.

        Args:
            about: What the notice is about; a second one about the same is not published.
            text: Text of the notice.
        """
        if about not in self._warned:
            self._warned.add(about)
            self.publish(Notice(f"monitoring: {text}"))

    def write(self, snapshot: Snapshot) -> None:
        """Publishes a complete snapshot, and writes it to the sinks."""
        self.last = snapshot
        self.last_words.see(snapshot)
        # Of many ranks they are large, and those who poll do not show them.
        self.publish(replace(snapshot, rank_numbers=None))
        self._for_each(lambda sink: sink.write(snapshot))

    def write_evaluation(self, evaluation: Evaluation, published: bool = True) -> None:
        """Writes the scores of an evaluation to the sinks.

        Args:
            evaluation: The evaluation.
            published: Whether to publish it as well; False for one that was published long ago.
        """
        if published:
            # Those who poll take the curves only where no sink does.
            self.publish(evaluation.without_curves() if self._sinks else evaluation)
        self._for_each(lambda sink: sink.write_evaluation(evaluation))

    def write_alert(self, alert: Alert) -> None:
        """Publishes an alert, and writes it to the sinks."""
        self.publish(alert)
        self._for_each(lambda sink: sink.write_alert(alert))

    def begin_attempt(self, attempt: AttemptBegan) -> None:
        """Publishes that an attempt begins, and writes it to the sinks that take it."""
        self.publish(attempt)
        self._for_each_of_runs(lambda sink: sink.begin_attempt(attempt))

    def fail_attempt(self, failed: AttemptFailed) -> None:
        """Publishes that an attempt has failed, and writes it to the sinks that take it."""
        self.publish(failed)
        self._for_each_of_runs(lambda sink: sink.fail_attempt(failed))

    def write_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        """Writes that a checkpoint is complete to the sinks that take it."""
        self._for_each_of_runs(lambda sink: sink.write_checkpoint(checkpoint))

    def end_run(self, ended: RunEnded) -> None:
        """Writes how the run ended to the sinks that take it."""
        self._for_each_of_runs(lambda sink: sink.end_run(ended))

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Makes the sinks take back what they have of later steps.

        Args:
            step: Step after which training is taken back.
            evaluation_step: Step after which evaluations are taken back.
        """
        self._for_each(lambda sink: sink.roll_back(step, evaluation_step))

    def flush(self) -> None:
        """Makes the sinks write everything that they were given; waits for at most `_FLUSH_S`.

        A sink whose previous flush has not returned is not waited for.
        """
        deadline = time.monotonic() + _FLUSH_S
        begun = []
        for number, sink in enumerate(self._sinks):
            last = self._flushing.get(number)
            if not isinstance(sink, BackgroundSink):
                self._try(sink, lambda each: each.flush())
            elif last is None or last.is_set():
                self._flushing[number] = sink.begin_flush()
                begun.append(self._flushing[number])
        for over in begun:
            over.wait(max(0.0, deadline - time.monotonic()))

    def since(self, cursor: Cursor | None) -> tuple[list[Published], Cursor]:
        """Returns what was published after a cursor, and the next cursor."""
        self._publish_sink_notices()
        return self._publications.since(cursor)

    def close(self) -> None:
        """Closes the sinks in parallel, each within its `close_s`."""
        background = [sink for sink in self._sinks if isinstance(sink, BackgroundSink)]
        for sink in background:
            self._try(sink, lambda each: each.begin_close())
        began = time.monotonic()
        for sink in background:
            self._try(
                sink, lambda each: each.close(max(0.0, began + each.close_s - time.monotonic()))
            )
        for other in self._sinks:
            if not isinstance(other, BackgroundSink):
                self._try(other, lambda each: each.close())
        self._publish_sink_notices()

    @property
    def _publications(self) -> Publications:
        if self._made is None:
            self._made = Publications()
        return self._made

    def _for_each(self, action: Callable[[Sink], None]) -> None:
        for sink in self._sinks:
            self._try(sink, action)

    def _for_each_of_runs(self, action: Callable[[RunSink], None]) -> None:
        # The question itself may raise, as it asks the sink for its methods.
        self._for_each(lambda sink: action(sink) if isinstance(sink, RunSink) else None)

    def _try(self, sink: _AnySink, action: Callable[[_AnySink], None]) -> None:
        try:
            action(sink)
        except Exception as error:
            self._failures += 1
            text = f"{type(sink).__name__}: {type(error).__name__}: {error}"
            self._reasons[text] += 1
            self.warn(type(sink).__name__, text)

    def _publish_sink_notices(self) -> None:
        for sink in self._sinks:
            if isinstance(sink, BackgroundSink):
                for text in sink.take_notices():
                    self.publish(Notice(f"monitoring: {text}"))
