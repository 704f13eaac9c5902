"""The attempts of a run, noted while they are published."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from raymon.results import AttemptBegan, AttemptFailed
from raymon.runs import Attempt


class Attempts:
    """The attempts of a run, from the first one of its first session on.

    Args:
        earlier: Attempts of earlier sessions, which are over.
        clock: Clock of seconds since 1970, UTC.

    Attributes:
        reached: Step that the newest attempt has reached; 0 before the first.
    """

    def __init__(
        self, earlier: Iterable[Attempt] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self._listed = list(earlier)
        self._own = len(self._listed)
        self._clock = clock
        self.reached = 0

    @property
    def listed(self) -> list[Attempt]:
        """The attempts, in order; the last one may go on."""
        return [*self._listed]

    def begin(self, began: AttemptBegan) -> None:
        """Notes that an attempt began; the one before it is over."""
        if self._goes_on and self._listed[-1].attempt == began.attempt:
            # A reporter that was started again tells it once more.
            return
        self._end()
        self._listed.append(Attempt(began.attempt, self._clock(), began.world_size, began.step))
        self.reached = began.step

    def reach(self, step: int) -> None:
        """Notes that the attempt that goes on has made so many steps."""
        if self._goes_on:
            self.reached = max(self.reached, step)

    def fail(self, failed: AttemptFailed) -> None:
        """Notes why an attempt ended; one that failed before its ranks began it is not listed."""
        if self._goes_on and self._listed[-1].attempt == failed.attempt:
            self._end(failed.text)

    def _end(self, failure: str | None = None) -> None:
        if self._goes_on:
            last = self._listed[-1]
            self._listed[-1] = replace(last, end_step=self.reached, failure=failure)

    @property
    def _goes_on(self) -> bool:
        return len(self._listed) > self._own and self._listed[-1].end_step is None


def closed(attempts: Iterable[Attempt], end_step: int, failure: str | None) -> list[Attempt]:
    """Returns attempts with the one that goes on, if there is one, over.

    Args:
        attempts: Attempts, in order.
        end_step: Step that it reached.
        failure: What ended it, in one line; None if that was not a failure.
    """
    return [
        replace(each, end_step=max(end_step, each.step), failure=failure)
        if each.end_step is None
        else each
        for each in attempts
    ]
