"""All of the time is in one phase, and another thread may ask which."""

from __future__ import annotations

from raymon.recorder import PhaseClock
from raymon.results import START


def test_the_seconds_of_phases_add_up_and_each_is_counted_once() -> None:
    times = iter([0.0, 1.0, 3.0, 7.0, 8.0, 15.0, 16.0])
    clock = PhaseClock(lambda: next(times))
    assert clock.now.phase == START
    clock.enter("data")
    clock.enter("forward")
    assert (clock.now.phase, clock.now.since) == ("forward", 3.0)
    clock.enter("data")
    assert clock.take() == {"start": 1.0, "data": 2.0 + 1.0, "forward": 4.0}
    clock.skip()
    assert clock.take() == {"data": 1.0}


def test_a_phase_has_the_steps_before_it() -> None:
    clock = PhaseClock()
    clock.step = 7
    clock.enter("data")
    assert clock.now.step == 7
