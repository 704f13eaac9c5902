"""All of the time is in one phase, and another thread may ask which."""

from __future__ import annotations

import gc
import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.recorder import PhaseClock
from raymon.results import EVALUATION, FORWARD, GARBAGE_COLLECTION, PEERS, START


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


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


def test_a_wait_for_peers_is_taken_out_of_its_phase_and_none_outside_of_steps_is() -> None:
    time = Time()
    clock = PhaseClock(time)
    for phase in (FORWARD, EVALUATION):
        clock.enter(phase)
        time.now += 1.0
        with clock.waiting_for_peers():
            time.now += 10.0
        assert clock.now.phase == phase
        time.now += 2.0
    with pytest.raises(KeyError), clock.waiting_for_peers():
        raise KeyError
    assert clock.take() == {START: 0.0, FORWARD: 3.0, PEERS: 10.0, EVALUATION: 13.0}


def test_garbage_collection_is_taken_out_of_the_phase_in_which_it_happens() -> None:
    time = Time()
    clock = PhaseClock(time)

    def collect(seconds: float) -> None:
        def spend(what: str, _: object) -> None:
            time.now += seconds if what == "stop" else 0.0

        gc.callbacks.insert(0, spend)
        try:
            gc.collect()
        finally:
            gc.callbacks.remove(spend)

    clock.enter(FORWARD)
    gc.disable()  # of itself it would collect too
    try:
        with clock.counting_garbage_collection():
            time.now += 1.0
            collect(5.0)
            clock.enter(PEERS)
            time.now += 2.0
            # What other threads collect is none of this one's.
            thread = threading.Thread(target=collect, args=(50.0,))
            thread.start()
            thread.join()
        collect(7.0)
    finally:
        gc.enable()
    assert clock.take() == {START: 0.0, FORWARD: 1.0, GARBAGE_COLLECTION: 5.0, PEERS: 59.0}


@given(st.sets(st.integers(1, 12)))
def test_a_collection_at_any_moment_leaves_no_time_out(collections: set[int]) -> None:
    ticks, left = itertools.count(), set(collections)

    def read() -> float:
        now = next(ticks)
        if now in left:  # as if the collector came while the clock is read
            left.remove(now)
            count = gc.callbacks[-1]
            count("start", {})
            count("stop", {})
        return float(next(ticks))

    gc.disable()
    try:
        clock = PhaseClock(read)
        began = clock.now.since
        with clock.counting_garbage_collection():
            for phase in "abcabc":
                clock.enter(phase)
            spent = clock.take()
    finally:
        gc.enable()
    assert sum(spent.values()) == clock.now.since - began
    assert min(spent.values()) >= 0
    assert (GARBAGE_COLLECTION in spent) == (left != collections)
