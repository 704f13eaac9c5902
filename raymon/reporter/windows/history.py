"""The attempts of a run as one history, in which the windows follow each other by their steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from raymon.protos.report_pb2 import (
    AttemptRecord,
    EvaluationRecord,
    JournalRecord,
    ReporterState,
    WindowReport,
)
from raymon.reporter.windows.collation import Attempt, Collation
from raymon.reporter.windows.window_sum import WindowSum


class History:
    """The attempts of a run; gives their windows in the order of their steps.

    A new attempt takes back what earlier attempts did past its restored step. Their windows before
    that step may still be on the way: a restored worker first sends the windows that its
    predecessor could not send, and then its own. So windows of earlier attempts are awaited until
    every rank has reported in the new one.

    Args:
        attempts: Attempts that are not over, oldest first, each with its number of merged windows.
    """

    def __init__(self, attempts: Iterable[AttemptRecord] = ()) -> None:
        self._collations = [
            Collation(Attempt.from_message(m), m.closed, ended=m.ended) for m in attempts
        ]

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that is going on; None before the first."""
        return self._collations[-1].attempt if self._collations else None

    @property
    def closed(self) -> dict[int, int]:
        """The number of merged windows of each attempt that may still change, by its number."""
        return {c.attempt.number: c.closed for c in self._collations}

    @property
    def current(self) -> Collation | None:
        """The windows of the attempt that is going on; None before the first."""
        return self._collations[-1] if self._collations else None

    def begin(self, attempt: Attempt) -> None:
        """Begins a new attempt, and forgets what is past its restored step."""
        for collation in self._collations:
            collation.end_at(attempt.restored_step)
        self._collations.append(Collation(attempt))

    def add(self, report: WindowReport, now: float = 0.0) -> bool:
        """Takes a report.

        Args:
            report: The report.
            now: Time at which it came, in seconds.

        Returns:
            False if it is a duplicate, or if its window is settled already.

        Raises:
            ValueError: It is of an attempt that is not known, or cannot be a window of it.
        """
        for collation in self._collations:
            if collation.attempt.number == report.attempt:
                return collation.add(report, now)
        if self._collations and 0 < report.attempt < self._collations[0].attempt.number:
            return False
        running = self.attempt.number if self.attempt else 0
        raise ValueError(f"attempt {report.attempt} is not known; {running} is running")

    def take_complete(self) -> Iterator[WindowSum]:
        """Yields the windows that are complete, in the order of their steps."""
        while len(self._collations) > 1:
            oldest, current = self._collations[0], self._collations[-1]
            yield from oldest.take_complete()
            if len(current.heard) < current.attempt.world_size:
                return
            yield from oldest.take_rest()
            self._collations.pop(0)
        if self._collations:
            yield from self._collations[0].take_complete()

    def incomplete(self) -> list[WindowSum]:
        """Returns the windows that some rank has still to report, in the order of their steps."""
        return [window for c in self._collations for window in c.incomplete()]

    @property
    def waits_since(self) -> float | None:
        """When the first report of the next window came, in seconds; None if no window is open."""
        return next((c.waits_since for c in self._collations if c.waits_since is not None), None)

    def collation(self, attempt: int) -> Collation:
        """Returns the windows of an attempt that is not over, by its number."""
        return next(c for c in self._collations if c.attempt.number == attempt)

    def to_messages(self) -> list[AttemptRecord]:
        """Returns the messages of the attempts that are not over."""
        return [collation.to_message() for collation in self._collations]


@dataclass
class Replay:
    """A history without what was taken back.

    Attributes:
        history: The attempts.
        origin: The step from which on everything is known; None before the first attempt.
        windows: Merged windows since the state, in order.
        evaluations: Evaluations by step.
    """

    history: History
    origin: int | None = None
    windows: list[WindowSum] = field(default_factory=list)
    evaluations: dict[int, EvaluationRecord] = field(default_factory=dict)

    def begin(self, attempt: Attempt) -> None:
        """Begins a new attempt, and takes back what is past its restored step."""
        step = attempt.restored_step
        self.history.begin(attempt)
        self.origin = step if self.origin is None else min(step, self.origin)
        self.windows = [window for window in self.windows if window.end_step <= step]
        self.evaluations = {s: e for s, e in self.evaluations.items() if s <= step}


def replay(state: ReporterState | None, records: Iterable[JournalRecord]) -> Replay:
    """Applies what happened since a state.

    Args:
        state: State of the reporter; None for that of a new run.
        records: Records of the journal since the state, in order.
    """
    result = Replay(History(state.attempts if state else ()))
    if state:
        result.origin = state.origin_step
        result.evaluations = {record.step: record for record in state.evaluations}
    for record in records:
        match record.WhichOneof("what"):
            case "attempt":
                result.begin(Attempt.from_message(record.attempt))
            case "window":
                collation = result.history.collation(record.window.attempt)
                layout = collation.attempt.layout
                result.windows.append(WindowSum.of(record.window, layout))
                collation.skip(record.window)
            case "evaluation":
                result.evaluations[record.evaluation.step] = record.evaluation
    return result
