"""The request that the ranks of a run have: to trace steps, or to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from raymon.results import RankState
from raymon.wire import PROFILE, STOP, Profiling, RankAnswer, RankRequest

_MOST_STEPS = 1000
_TRACED = 8
"""Ranks that are traced if it is not said which, if there are more."""

_PATIENCE_S = 1800.0
"""Seconds after which steps that were to be traced are given up."""


class RankLink(Protocol):
    """The reporter of a run, as its driver calls it."""

    def ask_ranks(self, request: RankRequest | None) -> None:
        """Asks the ranks to do something, in place of what they were asked before."""

    def rank_answers(self) -> tuple[int | None, list[RankAnswer]]:
        """Returns the number of the request that the ranks have, and their answers in order."""

    def ranks(self) -> list[RankState]:
        """Returns what is known of each rank of the attempt that is going on."""


@dataclass
class _Open:
    request: RankRequest
    attempt: int
    since: float
    answered: Callable[[list[RankAnswer], str | None], None]


class RankDesk:
    """Has the ranks do one thing at a time, and tells when they have.

    A stop takes the place of steps that are being traced, and holds until the run ends, also if
    the workers are started again.

    Args:
        reporter: Reporter of the run.
        attempt: Function that returns the number of the attempt that is going on.
        clock: Monotonic clock, in seconds.

    Attributes:
        stop_asked: Whether the ranks were asked to stop.
        stopped: Whether a rank said that it has.
    """

    def __init__(
        self,
        reporter: RankLink,
        attempt: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reporter = reporter
        self._attempt = attempt
        self._clock = clock
        self._open: _Open | None = None
        self._number = 0
        self.stop_asked = False
        self.stopped = False

    def stop(self) -> None:
        """Asks the ranks to save and to stop, if they are not asked already."""
        if self.stop_asked:
            return
        self.close("the run was asked to stop")
        self.stop_asked = True
        # A reporter that does not answer now is told when it does.
        with suppress(Exception):
            self._ask(STOP, None, lambda answers, why: None)

    def trace(
        self, profiling: Profiling, answered: Callable[[list[RankAnswer], str | None], None]
    ) -> Sequence[int]:
        """Asks ranks to trace steps.

        Args:
            profiling: Steps and ranks; no ranks are all of them, or the first of many.
            answered: Called with the answers once all of them have come, or with why they do not.

        Returns:
            The ranks that trace.

        Raises:
            ValueError: It is not as it would be right; the message says how.
            RuntimeError: It cannot be done now.
        """
        if not 1 <= profiling.steps <= _MOST_STEPS:
            raise ValueError(f"--steps {profiling.steps}: give 1 to {_MOST_STEPS}")
        if self.stop_asked:
            raise RuntimeError("the run was asked to stop")
        if self._open is not None:
            raise RuntimeError("other steps of the run are being traced; ask again later")
        world = len(self._reporter.ranks())
        if world == 0:
            raise RuntimeError("no worker trains yet; ask again later")
        beyond = [rank for rank in profiling.ranks if not 0 <= rank < world]
        if beyond:
            raise ValueError(f"--ranks {beyond[0]}: the run has ranks 0 to {world - 1}")
        ranks = tuple(sorted(set(profiling.ranks))) or tuple(range(min(world, _TRACED)))
        whole = Profiling(
            profiling.steps, ranks, profiling.shapes, profiling.stacks, profiling.memory
        )
        try:
            self._ask(PROFILE, whole, answered)
        except Exception:
            self._open = None
            raise
        return ranks

    def look(self) -> None:
        """Looks whether the ranks have done what they were asked to."""
        opened = self._open
        if opened is None:
            return
        number, answers = self._reporter.rank_answers()
        if number != opened.request.number:
            # The reporter was started again, and has forgotten it.
            self._reporter.ask_ranks(opened.request)
            return
        if opened.request.kind == STOP:
            self.stopped = self.stopped or bool(answers)
            return
        assert opened.request.profiling is not None
        if len(answers) >= len(opened.request.profiling.ranks):
            self._end(answers, None)
        elif self._attempt() != opened.attempt:
            self._end(answers, "the workers were started again; ask again")
        elif self._clock() - opened.since > _PATIENCE_S:
            self._end(answers, f"not all ranks have traced in {_PATIENCE_S / 60:.0f} minutes")

    def close(self, why: str) -> None:
        """Ends what is open, because the run is over.

        Args:
            why: Why it is not done.
        """
        opened, self._open = self._open, None
        if opened is not None:
            opened.answered([], why)

    def _ask(
        self,
        kind: str,
        profiling: Profiling | None,
        answered: Callable[[list[RankAnswer], str | None], None],
    ) -> None:
        # Larger than those of an earlier session too, and exact in a double for 285,000 years.
        self._number = max(self._number + 1, time.time_ns() // 1_000_000)
        request = RankRequest(self._number, kind, profiling)
        self._open = _Open(request, self._attempt(), self._clock(), answered)
        self._reporter.ask_ranks(request)

    def _end(self, answers: list[RankAnswer], why: str | None) -> None:
        self._reporter.ask_ranks(None)
        opened, self._open = self._open, None
        assert opened is not None
        opened.answered(answers, why)
