"""The attempts of a run say where each began, what it reached, and what ended it."""

from __future__ import annotations

from raymon.reporter import Attempts, closed
from raymon.results import AttemptBegan, AttemptFailed
from raymon.runs import Attempt


def test_each_attempt_ends_where_it_was_before_the_next_took_it_back() -> None:
    attempts = Attempts((Attempt(1, 5.0, 4, 0, 90, "killed"),), clock=iter((10.0, 20.0)).__next__)
    attempts.reach(70)  # of no attempt that goes on
    assert attempts.reached == 0
    attempts.begin(AttemptBegan(2, 4, 80))
    attempts.reach(120)
    attempts.reach(110)  # a late window
    attempts.fail(AttemptFailed(2, "rank 3 died", True))
    attempts.reach(130)
    attempts.begin(AttemptBegan(3, 2, 100))
    assert attempts.listed == [
        Attempt(1, 5.0, 4, 0, 90, "killed"),
        Attempt(2, 10.0, 4, 80, 120, "rank 3 died"),
        Attempt(3, 20.0, 2, 100),
    ]
    assert attempts.reached == 100
    assert closed(attempts.listed, 140, None)[-1] == Attempt(3, 20.0, 2, 100, 140, None)
    assert closed(attempts.listed, 140, "x")[:2] == attempts.listed[:2]


def test_what_a_reporter_tells_again_is_one_attempt() -> None:
    attempts = Attempts(clock=lambda: 1.0)
    for _ in range(2):
        attempts.begin(AttemptBegan(1, 2, 0))
        attempts.reach(10)
    assert attempts.listed == [Attempt(1, 1.0, 2, 0)]
    assert attempts.reached == 10


def test_a_failure_before_the_ranks_began_is_that_of_no_attempt() -> None:
    attempts = Attempts(clock=lambda: 1.0)
    attempts.fail(AttemptFailed(1, "no such column", False))
    assert attempts.listed == []
    attempts.begin(AttemptBegan(1, 2, 0))
    attempts.fail(AttemptFailed(2, "it never began", True))
    assert attempts.listed == [Attempt(1, 1.0, 2, 0)]
