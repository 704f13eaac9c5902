"""Updates of a train metric on a thread of its own, for whose end nothing waits long."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from torch import Tensor

from raymon.code_location import describe
from raymon.recorder.background_updates import (
    BackgroundUpdates,
    NoStatesError,
    TakenUpdates,
)
from raymon.recorder.failures import MetricFailedError
from raymon.wire import OF_A_METRIC

PATIENCE_S = 3.0
"""Seconds after its end at which a window is sent without a metric that is not ready."""

_MOST_NOT_WAITED = 63
"""Most windows in a row that do not wait for a metric that was waited for in vain."""

_GRACE_S = 0.25
"""Seconds that a metric has in any case, as after a time in which this process did not run."""


class _Job:
    """Updates for the thread of a metric.

    Args:
        owner: The metric.
        window: Number of the window that they are of.
        taken: The updates.
        cut_at: Time at which the window ended, in seconds; None if it goes on.
    """

    def __init__(
        self, owner: SeparateUpdates, window: int, taken: TakenUpdates, cut_at: float | None
    ) -> None:
        self.window = window
        self.taken = taken
        self.cut_at = cut_at
        self.states: Future[dict[str, Tensor]] = Future()
        self._owner = owner
        self._handed_on = False

    def add(self) -> None:
        """Hands the updates to the thread of the metric; returns at once."""
        if not self._handed_on:
            self._handed_on = True
            self._owner.put(self)

    def wait(self) -> dict[str, Tensor]:
        """Waits for the states of the window that ends with these updates.

        Raises:
            NoStatesError: There are none, or they are not there in time.
        """
        self.add()
        return self._owner.wait_for(self)


class SeparateUpdates:
    """Updates of a train metric on a thread of its own.

    The code of others may be slow or never return. Windows are sent without a metric that is not
    ready in time, and its updates of these windows are given up, so that it never lags by more.

    Args:
        updates: The updates of the metric.
        on_error: Called with an exception for each window that is sent without the metric.
        patience_s: Seconds after the end of a window until it is sent without the metric; None for
            `PATIENCE_S`.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        updates: BackgroundUpdates,
        on_error: Callable[[Exception], None],
        patience_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = updates.name
        self._updates = updates
        self._on_error = on_error
        self._patience_s = PATIENCE_S if patience_s is None else patience_s
        self._clock = clock
        self._window = 0
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._running: int | None = None
        # The last window that is given up; how many windows are not waited for after a wait in
        # vain, and how many of them are left.
        self._given_up = -1
        self._not_waited = self._left = 0
        # Of the updates of the metric: when the one that goes on began, and those before it.
        self._update_began: float | None = None
        self._updates_made = 0
        self._update_s = 0.0
        self._why: tuple[float, int, str] = (0.0, 0, "")

    def fail(self, error: BaseException) -> None:
        """Marks the window, as an update could not be given to the metric."""
        self._updates.fail(error)

    def take(self) -> _Job:
        """Takes the updates that wait, of a window that goes on."""
        return _Job(self, self._window, self._updates.take(), None)

    def take_window(self) -> _Job:
        """Takes the updates that wait, which are the last of a window."""
        self._window += 1
        return _Job(self, self._window - 1, self._updates.take_window(), self._clock())

    def put(self, job: _Job) -> None:
        """Hands updates to the thread."""
        with self._changed:
            if job.window <= self._given_up:
                job.taken.drop()
            self._jobs.append(job)
            self._changed.notify()
        if self._thread is None:
            name = f"raymon-metric-{self.name}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def wait_for(self, job: _Job) -> dict[str, Tensor]:
        """Returns the states of a window.

        Raises:
            NoStatesError: There are none, or they are not there in time.
        """
        wait_s = self._wait_s(job)
        try:
            states = job.states.result(wait_s)
        except TimeoutError:
            if wait_s > 0:
                self._not_waited = min(2 * self._not_waited + 1, _MOST_NOT_WAITED)
                self._left = self._not_waited
            raise NoStatesError(self._give_up(job.window)) from None
        self._not_waited = self._left = 0
        return states

    def _wait_s(self, job: _Job) -> float:
        """Returns the seconds that a window may wait for the metric.

        Each wait in vain is followed by twice as many windows that do not wait, so that a metric
        that is always slow does not delay them all.
        """
        assert job.cut_at is not None
        with self._changed:
            if self._running is not None and self._running <= self._given_up:
                return 0.0
        if self._left:
            self._left -= 1
            return 0.0
        return max(job.cut_at + self._patience_s - self._clock(), _GRACE_S)

    def close(self) -> None:
        """Ends the thread, once it has nothing to do."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._jobs:
                    if self._closed:
                        return
                    self._changed.wait()
                job = self._jobs.popleft()
                self._running = job.window
            self._do(job)
            with self._changed:
                self._running = None
                self._end_update()

    def _do(self, job: _Job) -> None:
        def wanted() -> bool:
            with self._changed:
                self._end_update()
                if job.window <= self._given_up:
                    return False
                self._update_began = self._clock()
                return True

        if job.cut_at is None:
            job.taken.add(wanted)
            return
        try:
            job.states.set_result(job.taken.wait(wanted))
        except NoStatesError as error:
            job.states.set_exception(error)
        except Exception as error:  # a metric that fails costs only itself
            job.states.set_exception(NoStatesError(f"it has no states: {describe(error)}"))

    def _end_update(self) -> None:
        if self._update_began is not None:
            self._update_s += self._clock() - self._update_began
            self._updates_made += 1
            self._update_began = None

    def _give_up(self, window: int) -> str:
        """Gives up the updates of the windows until this one; returns why."""
        with self._changed:
            self._given_up = window
            for job in self._jobs:
                if job.window <= window:
                    job.taken.drop()
            why = self._why_slow()
        self._on_error(MetricFailedError(f"{OF_A_METRIC}{self.name}: {why}"))
        return why

    def _why_slow(self) -> str:
        """Returns how long an update takes; the same text for times that are much the same."""
        made, seconds = self._updates_made, 0.0
        if made:
            seconds = self._update_s / made
        going_on = 0.0 if self._update_began is None else self._clock() - self._update_began
        said_s, said_made, said = self._why
        if said and (said_made > 0) == (made > 0) and max(seconds, going_on) < 2 * said_s:
            return said
        if going_on > 2 * seconds:
            seconds, said = going_on, f"it is slow: an update takes more than {going_on:.2g} s"
        else:
            said = f"it is slow: {seconds:.2g} s an update"
        self._why = (seconds, made, said)
        return said
