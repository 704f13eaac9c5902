"""Seconds that a device spends in the phases of steps, for which no step waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import torch

from raymon.results import GARBAGE_COLLECTION, MONITOR, START, STEP_PHASES

MOST_MARKS = 4096
"""Most marks in a window; the steps after them are taken to be like those before."""

_OF_HOST = (MONITOR, GARBAGE_COLLECTION)
"""Phases of a step whose seconds are those of the host, which nothing on the device shows."""


class Event(Protocol):
    """A point in the work of a device, as a `torch.cuda.Event` that measures time."""

    def record(self) -> None:
        """Puts the point after the work that is queued now."""

    def synchronize(self) -> None:
        """Waits until the device has come to it."""

    def elapsed_time(self, end_event: Event) -> float:
        """Returns the milliseconds from this point to another one, which the device has passed."""


class DevicePhases:
    """Marks the changes of phase in the work of a device.

    Args:
        make: Makes an event.
    """

    def __init__(self, make: Callable[[], Event]) -> None:
        self._make = make
        self._free: deque[Event] = deque()
        self._marks: list[tuple[str, Event]] = []
        self._is_off = False

    def mark(self, phase: str) -> None:
        """Marks that a phase begins after the work that is queued now; waits for nothing."""
        if self._is_off or len(self._marks) >= MOST_MARKS:
            return
        before = self._marks[-1][0] if self._marks else START
        if before not in STEP_PHASES and phase not in STEP_PHASES:
            return
        try:
            event = self._free.pop() if self._free else self._make()
            event.record()
        except Exception:  # the phases of the host are there still
            self._is_off, self._marks = True, []
            return
        self._marks.append((phase, event))

    def take(self) -> DeviceMarks:
        """Returns the marks since the last call."""
        marks, self._marks = self._marks, []
        return DeviceMarks(marks, self._free)


class DeviceMarks:
    """The marks of a window.

    Args:
        marks: Phases, each with the event at its begin.
        free: Takes the events when they are not needed any more.
    """

    def __init__(self, marks: Sequence[tuple[str, Event]], free: deque[Event]) -> None:
        self._marks = marks
        self._free = free

    def phases(self, of_host: Mapping[str, float]) -> dict[str, float]:
        """Returns the seconds by phase, on a thread other than the training thread.

        Waits until the device has passed the marks. What the host took for steps, but for its
        monitoring and garbage collection, is split as the time of the device is.

        Args:
            of_host: Seconds by phase, of the host.
        """
        seconds: dict[str, float] = {}
        if self._marks:
            self._marks[-1][1].synchronize()
        for (phase, begin), (_, end) in pairwise(self._marks):
            if phase in STEP_PHASES and phase not in _OF_HOST:
                spent = begin.elapsed_time(end) / 1e3
                seconds[phase] = seconds.get(phase, 0.0) + spent
        self._free.extend(event for _, event in self._marks)
        total = sum(seconds.values())
        if total <= 0:
            return dict(of_host)
        kept = {
            phase: spent
            for phase, spent in of_host.items()
            if phase not in STEP_PHASES or phase in _OF_HOST
        }
        steps = sum(spent for phase, spent in of_host.items() if phase not in kept)
        return {**kept, **{phase: steps * spent / total for phase, spent in seconds.items()}}


def phase_marks(device: torch.device) -> DevicePhases | None:
    """Returns the marks for a CUDA device; None for the CPU, whose host does the work."""
    if device.type != "cuda":
        return None
    return DevicePhases(lambda: _CudaEvent(device))


class _CudaEvent:
    """An event on the current stream of whoever records it."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # Who waits for it sleeps.
        self._event = torch.cuda.Event(enable_timing=True, blocking=True)

    def record(self) -> None:
        self._event.record(torch.cuda.current_stream(self._device))

    def synchronize(self) -> None:
        self._event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        assert isinstance(end_event, _CudaEvent)
        return float(self._event.elapsed_time(end_event._event))
