"""Each thing that is wrong is told once when it begins, and once when it is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from raymon.diagnosis import AlertBook
from raymon.results import Finding

KINDS = st.sampled_from(["straggler", "hang", "loss_spike"])
FINDINGS = st.builds(Finding, KINDS, st.text(max_size=3), rank=st.integers(0, 2))


@given(st.lists(st.lists(FINDINGS, max_size=4)))
def test_begins_and_ends_alternate_and_leave_what_is_wrong(looks: list[list[Finding]]) -> None:
    book, on = AlertBook(), set()
    for step, findings in enumerate(looks):
        for alert in book.update(findings, 1, step, 0.0):
            assert alert.is_over == (alert.finding.key in on)
            on ^= {alert.finding.key}
        assert on == {finding.key for finding in findings} == {f.key for f in book.on}
