"""Each thing that is wrong is told once when it begins, and once when it is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from raymon.diagnosis import AlertBook
from raymon.results import Alert, Finding

KINDS = st.sampled_from(["straggler", "hang", "loss_spike"])
FINDINGS = st.builds(Finding, KINDS, st.text(max_size=3), rank=st.integers(0, 2))
SPIKE = Finding("loss_spike", "spike", of_steps=True)
HANG = Finding("hang", "rank 1 is silent", rank=1)


@given(st.lists(st.lists(FINDINGS, max_size=4)))
def test_begins_and_ends_alternate_and_leave_what_is_wrong(looks: list[list[Finding]]) -> None:
    book, on = AlertBook(), set()
    for step, findings in enumerate(looks):
        for alert in book.update(findings, 1, step, 0.0):
            assert alert.is_over == (alert.finding.key in on)
            on ^= {alert.finding.key}
        assert on == {finding.key for finding in findings} == {f.key for f in book.on}


def steps_with_spikes(
    book: AlertBook, steps: range, spiked: set[int], attempt: int, time: float = 0.0
) -> list[Alert]:
    """Shows steps one by one, 30 seconds each."""
    found = []
    for i, step in enumerate(steps):
        now = [SPIKE] if step in spiked else []
        found += book.update(now, attempt, step, time + 30.0 * i)
    return found


@given(
    st.sets(st.integers(0, 19)), st.integers(1, 20), st.integers(0, 20), st.booleans(), st.data()
)
def test_a_restart_of_workers_or_of_the_reporter_tells_nothing_twice(
    spiked: set[int], reached: int, restored: int, is_killed: bool, data: st.DataObject
) -> None:
    restored = min(restored, reached)
    alone = steps_with_spikes(AlertBook(), range(20), spiked, 1)
    book = AlertBook()
    told = steps_with_spikes(book, range(reached), spiked, 1)
    if is_killed:
        book = AlertBook()
        book.restore(told, 600.0)
    else:
        book.begin_attempt(600.0)
    told += steps_with_spikes(book, range(restored, 20), spiked, 2, 600.0)
    begins = [alert.step for alert in told if not alert.is_over]
    assert begins == sorted(set(begins)), "told twice"
    # Only what began while it was not known whether an earlier one is over, may be one with it.
    assert set(begins) <= {alert.step for alert in alone if not alert.is_over}
    assert book.figures.counts.get("loss_spike", 0) == len(begins)
    first = min(spiked, default=None)
    assert begins[:1] == ([] if first is None else [first])


def test_a_finding_that_is_not_seen_again_after_a_restart_is_over_in_the_end() -> None:
    told = AlertBook().update([SPIKE, HANG], 1, 50, 0.0)
    book = AlertBook()
    book.restore(told, 100.0)
    assert book.update([], 2, 50, 101.0) == []
    assert {finding.kind for finding in book.on} == {"loss_spike", "hang"}
    # The hang is a matter of time, the spike one of steps too.
    assert book.update([], 2, 50, 170.0) == [Alert(HANG, 2, 50, 170.0, is_over=True)]
    assert book.update([], 2, 51, 171.0) == book.update([], 2, 52, 172.0) == []
    assert book.update([], 2, 53, 173.0) == [Alert(SPIKE, 2, 53, 173.0, is_over=True)]


def test_workers_that_begin_do_not_hang_as_those_before_them() -> None:
    told = AlertBook().update([SPIKE, HANG], 1, 50, 0.0)
    book = AlertBook()
    book.restore(told, 100.0)
    book.begin_attempt(101.0)
    assert book.update([], 2, 50, 102.0) == [Alert(HANG, 2, 50, 102.0, is_over=True)]


def test_a_hang_at_the_same_step_is_another_hang() -> None:
    book = AlertBook()
    steps = [([HANG], 1, 50, 0.0), ([], 1, 60, 10.0)]
    for findings, attempt, step, time in steps:
        assert len(book.update(findings, attempt, step, time)) == 1
    book.begin_attempt(20.0)
    assert len(book.update([HANG], 2, 50, 30.0)) == 1
    assert book.figures.counts == {"hang": 2}


def test_what_lasts_longer_than_it_did_before_the_roll_back_is_told() -> None:
    book = AlertBook()
    assert len(steps_with_spikes(book, range(10), {3, 4}, 1)) == 2
    book.begin_attempt(600.0)
    again = steps_with_spikes(book, range(10), {3, 4, 5, 6}, 2, 600.0)
    assert [(alert.step, alert.is_over) for alert in again] == [(5, False), (7, True)]
