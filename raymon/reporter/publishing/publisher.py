"""Where the reporter's numbers go: to whoever asks for news, and into sinks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from raymon.reporter.publishing.publications import Cursor, Publications
from raymon.results import Evaluation, Notice, Published, Snapshot
from raymon.sinks import BackgroundSink, Sink

_AnySink = TypeVar("_AnySink", bound=Sink)

_FLUSH_S = 2.0
"""Seconds that the numbers of a checkpoint may take on their way into sinks."""

_CLOSE_S = 10.0
"""Seconds that all sinks together have at the end."""


class Publisher:
    """Publishes, and writes to sinks; one that fails costs only itself, and is told.

    Args:
        sinks: Where the numbers go.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = list(sinks)
        self._failures = 0
        self._reasons: Counter[str] = Counter()
        self._warned: set[str] = set()
        # Made when it is asked for: the reporter is sent to the process that it runs in.
        self._made: Publications | None = None
        self._flushing: dict[int, threading.Event] = {}
        self.on_notice: Callable[[str], None] | None = None
        """Told of every notice too, where it runs."""
        self.last: Snapshot | None = None
        """The newest numbers that are complete."""

    @property
    def life(self) -> str:
        """Another one in every process."""
        return self._publications.life

    @property
    def failures(self) -> int:
        """Calls to sinks that failed for good."""
        background = [sink for sink in self._sinks if isinstance(sink, BackgroundSink)]
        return self._failures + sum(sink.failures + sink.dropped for sink in background)

    @property
    def failure_reasons(self) -> dict[str, int]:
        """How many of `failures` there were by reason."""
        found = Counter(self._reasons)
        for sink in self._sinks:
            if isinstance(sink, BackgroundSink):
                found.update(sink.failure_reasons)
        return dict(found)

    def add(self, sink: Sink) -> None:
        """Writes to another sink too, from now on."""
        self._sinks.append(sink)

    def publish(self, published: Published) -> None:
        """Tells something to whoever asks for news."""
        self._publications.add(published)
        if isinstance(published, Notice) and self.on_notice is not None:
            self.on_notice(published.text)

    def warn(self, about: str, text: str) -> None:
        """Tells that something is wrong; once about each thing."""
        if about not in self._warned:
            self._warned.add(about)
            self.publish(Notice(f"monitoring: {text}"))

    def write(self, snapshot: Snapshot) -> None:
        """Publishes numbers that are complete, and writes them to the sinks."""
        self.last = snapshot
        self.publish(snapshot)
        self._for_each(lambda sink: sink.write(snapshot))

    def write_evaluation(self, evaluation: Evaluation, published: bool = True) -> None:
        """Writes scores to the sinks, and publishes them unless they were long ago."""
        if published:
            self.publish(evaluation)
        self._for_each(lambda sink: sink.write_evaluation(evaluation))

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Takes back what sinks have after a step, and of evaluations after another."""
        self._for_each(lambda sink: sink.roll_back(step, evaluation_step))

    def flush(self) -> None:
        """Has sinks write all that they were given, and waits for it; for `_FLUSH_S` at most, and
        not for one that has not come back from the time before."""
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
        """What was published after a cursor, and the cursor behind it."""
        self._tell_of_sinks()
        return self._publications.since(cursor)

    def close(self) -> None:
        """Closes the sinks, all at the same time, within `_CLOSE_S`."""
        background = [sink for sink in self._sinks if isinstance(sink, BackgroundSink)]
        for sink in background:
            self._try(sink, lambda each: each.begin_close())
        deadline = time.monotonic() + _CLOSE_S
        for sink in background:
            self._try(sink, lambda each: each.close(max(0.0, deadline - time.monotonic())))
        for other in self._sinks:
            if not isinstance(other, BackgroundSink):
                self._try(other, lambda each: each.close())
        self._tell_of_sinks()

    @property
    def _publications(self) -> Publications:
        if self._made is None:
            self._made = Publications()
        return self._made

    def _for_each(self, action: Callable[[Sink], None]) -> None:
        for sink in self._sinks:
            self._try(sink, action)

    def _try(self, sink: _AnySink, action: Callable[[_AnySink], None]) -> None:
        try:
            action(sink)
        except Exception as error:
            self._failures += 1
            text = f"{type(sink).__name__}: {type(error).__name__}: {error}"
            self._reasons[text] += 1
            self.warn(type(sink).__name__, text)

    def _tell_of_sinks(self) -> None:
        for sink in self._sinks:
            if isinstance(sink, BackgroundSink):
                for text in sink.take_notices():
                    self.publish(Notice(f"monitoring: {text}"))
