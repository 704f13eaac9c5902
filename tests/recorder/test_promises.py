"""What a rank promises: never less than its own past needs, nor more than a multiple of that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from raymon.recorder.phase_clock import Moment
from raymon.recorder.promises import Promises
from raymon.results import BACKWARD, CHECKPOINT, DATA, EVALUATION, FORWARD, OPTIMIZER, PEERS, START

HANG_AFTER_S, LOOK_S = 20.0, 0.5
STEP = (DATA, FORWARD, BACKWARD, OPTIMIZER)


class Rank:
    """A rank whose phases last as long as one likes, and that is looked at twice a second."""

    def __init__(self) -> None:
        self.promises = Promises(HANG_AFTER_S)
        self.now = self.looked_at = 0.0
        self.step = 0
        self.overdue: list[tuple[int, str]] = []

    def be_in(self, phase: str, seconds: float) -> float:
        """Returns the last promise in the phase; 0 if it was too short to be looked at."""
        moment, promised = Moment(phase, self.now, self.step), 0.0
        self.now += seconds
        while self.looked_at + LOOK_S < self.now:
            self.looked_at += LOOK_S
            if self.looked_at < moment.since:
                continue
            promised = self.promises.look(moment, self.looked_at)
            if self.looked_at - moment.since > promised:
                self.overdue.append((self.step, phase))
        return promised

    def make_step(self, *seconds: float) -> None:
        for phase, length in zip(STEP, seconds, strict=True):
            self.be_in(phase, length)
        self.step += 1


@given(
    st.floats(0, 100),
    st.lists(st.floats(0, 100), min_size=4, max_size=4),
    st.lists(st.lists(st.floats(0, 19), min_size=4, max_size=4), max_size=8),
)
def test_a_slow_start_and_a_compiled_first_step_break_no_promise(
    start: float, first: list[float], steps: list[list[float]]
) -> None:
    rank = Rank()
    rank.be_in(START, start)
    rank.make_step(*first)
    for step in steps:
        rank.make_step(*step)
    assert rank.overdue == []


@given(st.floats(10, 300), st.integers(1, 5))
def test_compiling_once_more_may_take_nearly_twice_as_long(first: float, steps: int) -> None:
    rank = Rank()
    rank.make_step(0.1, first, 0.1, 0.1)
    for _ in range(steps):
        rank.make_step(0.1, 0.1, 0.1, 0.1)
    # A look every half second sees nearly all of a phase.
    rank.make_step(0.1, 2 * first - 2, 0.1, 0.1)
    assert rank.overdue == []


@given(st.floats(1, 10), st.lists(st.floats(0.5, 5), min_size=1, max_size=20))
def test_steps_that_take_long_promise_ten_times_the_longest(
    first: float, lengths: list[float]
) -> None:
    rank = Rank()
    rank.make_step(0, first, 0, 0)
    for length in lengths:
        rank.make_step(0, length, 0, 0)
    promised = rank.be_in(FORWARD, 2)
    assert 10 * (max(lengths) - LOOK_S) <= max(promised, HANG_AFTER_S)
    assert promised <= max(HANG_AFTER_S, 10 * max(lengths))


def test_short_steps_promise_what_the_config_says_and_more_where_more_is_usual() -> None:
    rank = Rank()
    rank.make_step(0.01, 0.01, 0.01, 0.01)
    for _ in range(1000):
        rank.make_step(0.01, 0.01, 0.01, 0.01)
    assert rank.be_in(FORWARD, 5) == 20
    assert rank.be_in(DATA, 5) == 60
    assert rank.be_in(EVALUATION, 5) == 300
    assert rank.be_in(CHECKPOINT, 5) == 600
    assert rank.be_in(START, 5) == 600


def test_a_stall_that_broke_its_promise_is_not_taken_as_usual() -> None:
    rank = Rank()
    rank.make_step(0, 1, 0, 0)
    rank.make_step(0, 1, 0, 0)
    rank.make_step(0, 30, 0, 0)
    assert rank.overdue
    promised = rank.be_in(FORWARD, 5)
    assert 2 * (30 - LOOK_S) <= promised <= 60


def test_what_was_usual_is_forgotten_where_it_no_longer_is() -> None:
    rank = Rank()
    rank.make_step(0, 1, 0, 0)
    rank.make_step(0, 15, 0, 0)
    assert rank.be_in(FORWARD, 5) > 140
    for _ in range(1200):
        rank.make_step(0.1, 0.2, 0.1, 0.1)
    assert rank.be_in(FORWARD, 5) <= 30


def test_time_in_which_the_process_stood_still_is_no_part_of_a_phase() -> None:
    promises = Promises(HANG_AFTER_S)
    promises.look(Moment(FORWARD, 0.0, 0), 0.5)
    promises.look(Moment(FORWARD, 1.0, 1), 1.5)
    assert promises.lasted_s == 0.5
    promises.look(Moment(FORWARD, 1.0, 1), 41.5)
    assert promises.lasted_s == 0.5
    promises.look(Moment(FORWARD, 1.0, 1), 42.0)
    assert promises.lasted_s == 1.0
    assert promises.look(Moment(FORWARD, 42.5, 2), 43.0) == 20
    # It was stopped in a phase that had not been looked at.
    promises.look(Moment(OPTIMIZER, 43.2, 2), 83.2)
    assert promises.lasted_s == 0


@given(st.floats(0, 590), st.floats(0, 590))
def test_the_first_step_after_a_restored_one_is_the_first(waited: float, compiled: float) -> None:
    rank = Rank()
    rank.be_in(START, 5)
    rank.be_in(PEERS, waited)
    rank.be_in(START, 5)
    rank.step = 800
    rank.make_step(0.1, compiled, 0.1, 0.1)
    assert rank.overdue == []


def test_a_hang_in_an_early_step_that_is_the_first_to_be_looked_at_has_no_longer_promise() -> None:
    promises = Promises(HANG_AFTER_S)
    assert promises.look(Moment(FORWARD, 0.4, 60), 0.5, first_step=0) == HANG_AFTER_S
    first = Promises(HANG_AFTER_S)
    assert first.look(Moment(FORWARD, 0.4, 800), 0.5, first_step=800) == 30 * HANG_AFTER_S
