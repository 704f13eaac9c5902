from dataclasses import replace

import numpy as np
import pytest

from raymon.diagnosis import StepWindow, Straggler, StragglerRule, StragglerTracker
from raymon.results import BACKWARD, DATA, FORWARD, PEERS, STEP, RankNumbers
from tests.diagnosis.ranks import Noise, heavy, log_normal, window_of, windows

SIZES = [2, 3, 8, 64, 1000]


def seen(given, rule: StragglerRule | None = None) -> tuple[StragglerTracker, list[set[int]]]:
    """The tracker after windows, and who was slow after each."""
    tracker, slow = StragglerTracker(rule or StragglerRule()), []
    for window in given:
        tracker.add(window)
        slow.append({each.rank for each in tracker.on})
    return tracker, slow


@pytest.mark.parametrize("ranks", SIZES)
@pytest.mark.parametrize(
    "noise", [log_normal(0.03), log_normal(0.3), heavy(0.02)], ids=["small", "large", "heavy"]
)
def test_noise_alone_makes_no_straggler(ranks: int, noise: Noise) -> None:
    count = 20 if ranks == 1000 else 60
    _, slow = seen(windows(ranks, count, noise))
    assert not any(slow)


@pytest.mark.parametrize("ranks", SIZES)
def test_a_rank_that_becomes_30_percent_slower_is_found_within_two_windows(ranks: int) -> None:
    begin = 10
    given = windows(
        ranks,
        begin + 2,
        log_normal(0.02),
        slow=lambda index: {1: {FORWARD: 3.0}} if index >= begin else {},
    )
    tracker, slow = seen(given)
    assert not any(slow[:begin])
    assert slow[-1] == {1}
    (found,) = tracker.on
    assert (found.phase, found.first_step, found.end_step) == (FORWARD, 1000, 1200)
    assert found.excess_s == pytest.approx(0.03, rel=0.2)


@pytest.mark.parametrize("ranks", [2, 3, 8, 1000])
def test_one_that_is_slow_from_the_start_is_found_too(ranks: int) -> None:
    given = windows(ranks, 5, log_normal(0.02), slow=lambda index: {0: {DATA: 4.0}})
    tracker, slow = seen(given)
    assert slow[-1] == {0}
    assert tracker.on[0].phase == DATA
    assert tracker.on[0].first_step == 0


def test_the_cost_is_what_the_cluster_would_gain_without_it() -> None:
    """Four ranks, each with 10 s of work in a window; one of them needs 14 s."""
    work = {FORWARD: np.array([10.0, 10.0, 14.0, 10.0])}
    tracker, _ = seen(window_of(index, work) for index in range(8))
    (found,) = tracker.on
    samples = 1000 * 100 * 4
    assert found.cost == pytest.approx(samples / 10 - samples / 14, rel=1e-5)
    assert found.share == pytest.approx(4 / 14)
    assert found.finding("b").text == (
        "rank 2 on b is slower than the others by 40 ms of a step of 140 ms, in forward, since "
        "step 0; that costs the cluster 11,429 samples/s (29 % of the time of those steps)"
    )


def test_it_is_over_when_it_is_over() -> None:
    given = windows(
        4,
        40,
        log_normal(0.02),
        slow=lambda index: {3: {BACKWARD: 5.0}} if 10 <= index < 20 else {},
    )
    tracker, slow = seen(given)
    assert all(slow[12:20])
    assert not any(slow[22:])
    (past,) = tracker.past
    assert (past.rank, past.first_step, past.end_step) == (3, 1000, 2000)
    assert "from step 1,000 to 2,000" in past.finding().text


def test_one_slow_window_is_noted_and_is_no_straggler() -> None:
    given = windows(
        4, 30, log_normal(0.02), slow=lambda index: {2: {FORWARD: 20.0}} if index == 15 else {}
    )
    tracker, slow = seen(given)
    assert not any(slow)
    (once,) = tracker.once
    assert (once.rank, once.phase, once.first_step, once.end_step) == (2, FORWARD, 1500, 1600)
    assert "was slower once" in once.finding().text


def test_two_stragglers_of_eight_are_found() -> None:
    given = windows(8, 10, log_normal(0.02), slow=lambda index: {r: {FORWARD: 4.0} for r in (4, 5)})
    assert seen(given)[1][-1] == {4, 5}


def test_short_windows_are_added_up_and_the_step_stays_exact() -> None:
    """Windows of 0.5 s, which are compared five at once; one rank is slow from window 113 on."""
    given = windows(
        4,
        140,
        log_normal(0.02),
        slow=lambda index: {1: {FORWARD: 0.25}} if index >= 113 else {},
        seconds=0.5,
    )
    tracker, slow = seen(given)
    assert not any(slow[:113])
    assert tracker.on[0].first_step == 11300


def test_a_rank_for_which_nobody_waits_is_no_straggler() -> None:
    """As in a loop whose ranks do not wait for each other at each step."""
    work = {FORWARD: np.array([10.0, 14.0]), PEERS: np.array([1.0, 1.0])}
    for_all = np.stack(list(work.values()), axis=1).astype(np.float32)
    numbers = RankNumbers(tuple(work), (0, 1), for_all)
    given = [replace(window_of(i, {FORWARD: work[FORWARD]}), numbers=numbers) for i in range(10)]
    assert not any(seen(given)[1])


@pytest.mark.parametrize(
    "numbers",
    [
        None,
        RankNumbers((STEP,), (0, 1), np.array([[1.0], [2.0]], np.float32)),
        RankNumbers((FORWARD, PEERS), (0,), np.array([[1.0, 1.0]], np.float32)),
        RankNumbers((FORWARD, PEERS), (0, 1), np.array([[1, 1], [np.nan, np.nan]], np.float32)),
    ],
    ids=["none", "phases not told apart", "a rank is missing", "a rank without numbers"],
)
def test_ranks_that_cannot_be_compared_are_not(numbers: RankNumbers | None) -> None:
    given = [StepWindow(100 * i, 100 * i + 100, 1000, 2.0, 2, numbers) for i in range(10)]
    assert not any(seen(given)[1])


def test_other_workers_begin_anew() -> None:
    given = list(windows(4, 12, log_normal(0.02), slow=lambda index: {1: {FORWARD: 5.0}}))
    tracker, _ = seen(given)
    assert tracker.on
    tracker.reset()
    assert not tracker.on
    tracker, _ = seen(given)
    tracker.add(next(windows(3, 1, log_normal(0.02))))
    assert not tracker.on


def test_a_straggler_is_said_of_a_rank_without_a_host_too() -> None:
    told = Straggler(3, DATA, 400, 600, 1.5, 2.25, 300.0, 5.0, 0.667)
    assert told.finding().text.startswith("rank 3 is slower than the others by 1.50 s of a step of")
    assert told.finding().key == ("straggler", 3, "")
