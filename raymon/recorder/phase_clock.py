"""A clock for the phases of a training thread."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from raymon.recorder.device_phases import DeviceMarks, DevicePhases
from raymon.results import GARBAGE_COLLECTION, PEERS, START, STEP_PHASES


class Moment(NamedTuple):
    """What the training thread does at a moment.

    Attributes:
        phase: The phase that goes on.
        since: Time at which it began, in seconds of the clock.
        step: Steps that were made before.
    """

    phase: str
    since: float
    step: int


class PhaseClock:
    """Sums up, on the thread that calls it, the seconds of each phase.

    Args:
        clock: Monotonic clock, in seconds; None for `time.perf_counter`.
        device: Takes the changes of phase into the work of a device; None on the CPU.

    Attributes:
        now: The phase that goes on, for other threads to read.
        step: Steps that were made, as `now` has it from the next phase on.
        first_step: Steps that were made before the first one of this process; None before it is
            known.
    """

    def __init__(
        self,
        clock: Callable[[], float] | None = None,
        device: DevicePhases | None = None,
    ) -> None:
        self._clock = clock or time.perf_counter
        self._device = device
        self._seconds: dict[str, float] = {}
        # Seconds of garbage collection so far, and until the phase that goes on began.
        self._collected = self._collected_before = 0.0
        self.step = 0
        self.first_step: int | None = None
        self.now = Moment(START, self._clock(), 0)

    def enter(self, phase: str) -> None:
        """Ends the phase that goes on, and begins another one."""
        before, since, _ = self.now
        while True:  # as `_read`, without the call: this is a step's
            collected = self._collected
            now = self._clock()
            if collected == self._collected:
                break
        spent = now - since
        if collected != self._collected_before:
            of_phase = collected - self._collected_before
            self._collected_before = collected
            spent -= of_phase
            self._add(GARBAGE_COLLECTION, of_phase)
        seconds = self._seconds
        seconds[before] = seconds.get(before, 0.0) + spent
        if self._device is not None:
            self._device.mark(phase)
        self.now = Moment(phase, now, self.step)

    def look(self) -> tuple[Moment, float]:
        """Returns the phase that goes on, and the time, in seconds of the clock; for any thread."""
        return self.now, self._clock()

    @contextmanager
    def within(self, phase: str) -> Iterator[None]:
        """Makes a step go on as `phase` within the context, and then as before.

        Outside of steps, as in an evaluation, what goes on does so.
        """
        before = self.now.phase
        if before not in STEP_PHASES:
            yield
            return
        self.enter(phase)
        try:
            yield
        finally:
            self.enter(before)

    def waiting_for_peers(self) -> AbstractContextManager[None]:
        """Returns a context within which a step waits for other ranks."""
        return self.within(PEERS)

    @contextmanager
    def counting_garbage_collection(self) -> Iterator[None]:
        """Counts, within the context, what the garbage collector takes of this thread.

        It is taken out of the phases in which that happens.
        """
        thread, began = threading.get_ident(), 0.0

        def count(what: str, _: Mapping[str, int]) -> None:
            nonlocal began
            if threading.get_ident() != thread:
                return
            if what == "start":
                began = self._clock()
            else:
                self._collected += self._clock() - began

        gc.callbacks.append(count)
        try:
            yield
        finally:
            gc.callbacks.remove(count)

    def skip(self) -> None:
        """Leaves out the time since the phase began, as it was no part of it."""
        now, self._collected_before = self._read()
        self.now = Moment(self.now.phase, now, self.step)

    def take(self) -> dict[str, float]:
        """Returns the seconds by phase since the last call; the phase that goes on, goes on."""
        self.enter(self.now.phase)
        seconds, self._seconds = self._seconds, {}
        return seconds

    def take_marks(self) -> DeviceMarks | None:
        """Returns the marks on the device since the last call; None on the CPU."""
        return None if self._device is None else self._device.take()

    def _read(self) -> tuple[float, float]:
        """Returns the time, and the seconds of garbage collection until then."""
        while True:
            collected = self._collected
            now = self._clock()
            # A collection may come at any allocation, so also between the two.
            if collected == self._collected:
                return now, collected

    def _add(self, phase: str, seconds: float) -> None:
        self._seconds[phase] = self._seconds.get(phase, 0.0) + seconds
