"""The time of a step is split by phase as a device spends it, though the host runs ahead."""

from __future__ import annotations

import pytest
import torch

from raymon.recorder import PhaseClock, phase_marks
from raymon.recorder.device_phases import MOST_MARKS, DevicePhases
from raymon.results import (
    BACKWARD,
    CHECKPOINT,
    DATA,
    EVALUATION,
    FORWARD,
    GARBAGE_COLLECTION,
    MONITOR,
    OPTIMIZER,
)


class Device:
    """A device that does its work by its own clock, later than it is queued."""

    def __init__(self) -> None:
        self.queued_s = self.passed_s = 0.0
        self.made = 0
        self.fails = False

    def make(self) -> FakeEvent:
        self.made += 1
        return FakeEvent(self)


class FakeEvent:
    def __init__(self, device: Device) -> None:
        self.device = device
        self.at_s = 0.0

    def record(self) -> None:
        if self.device.fails:
            raise RuntimeError("the device is lost")
        self.at_s = self.device.queued_s

    def synchronize(self) -> None:
        self.device.passed_s = max(self.device.passed_s, self.at_s)

    def elapsed_time(self, end_event: FakeEvent) -> float:
        assert end_event.at_s <= self.device.passed_s, "nobody has waited for it"
        return 1e3 * (end_event.at_s - self.at_s)


def steps(clock: PhaseClock, device: Device, count: int = 1) -> None:
    """Steps in which the device waits 1 s for data, and works 2, 4 and 1 s in three phases."""
    for _ in range(count):
        for phase, seconds in ((DATA, 1), (FORWARD, 2), (BACKWARD, 4), (OPTIMIZER, 1)):
            clock.enter(phase)
            device.queued_s += seconds
        clock.enter(MONITOR)
        device.queued_s += 8  # updates of metrics on the device


def test_what_the_host_took_is_split_as_the_time_of_the_device_is() -> None:
    device = Device()
    clock = PhaseClock(device=DevicePhases(device.make))
    steps(clock, device, 3)
    clock.enter(CHECKPOINT)
    device.queued_s += 100
    for _ in range(MOST_MARKS):
        clock.enter(EVALUATION)
    device.queued_s += 100
    steps(clock, device)
    clock.take()
    marks = clock.take_marks()
    assert marks is not None
    host = {
        DATA: 0.5, FORWARD: 10.0, BACKWARD: 5.0, OPTIMIZER: 0.5,
        MONITOR: 0.25, GARBAGE_COLLECTION: 0.5, CHECKPOINT: 7.0,
    }  # fmt: skip
    assert marks.phases(host) == pytest.approx(
        {
            DATA: 16 * 1 / 8,
            FORWARD: 16 * 2 / 8,
            BACKWARD: 16 * 4 / 8,
            OPTIMIZER: 16 * 1 / 8,
            MONITOR: 0.25,
            GARBAGE_COLLECTION: 0.5,
            CHECKPOINT: 7.0,
        }
    )


def test_events_are_used_again_and_their_number_has_a_limit() -> None:
    device = Device()
    phases = DevicePhases(device.make)
    clock = PhaseClock(device=phases)
    for _ in range(3):
        steps(clock, device, MOST_MARKS)
        marks = clock.take_marks()
        assert marks is not None
        found = marks.phases({FORWARD: 8.0})
        assert found == pytest.approx({DATA: 1, FORWARD: 2, BACKWARD: 4, OPTIMIZER: 1}, rel=1e-2)
    assert device.made == MOST_MARKS


def test_without_marks_and_on_a_lost_device_there_are_the_phases_of_the_host() -> None:
    device = Device()
    clock = PhaseClock(device=DevicePhases(device.make))
    for fails in (False, True):
        device.fails = fails
        if fails:
            steps(clock, device)
        marks = clock.take_marks()
        assert marks is not None
        assert marks.phases({FORWARD: 8.0}) == {FORWARD: 8.0}


def test_on_a_cpu_nothing_is_marked() -> None:
    assert phase_marks(torch.device("cpu")) is None
    assert PhaseClock().take_marks() is None
