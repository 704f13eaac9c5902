"""Seconds of phases and other numbers of each rank, from windows to what is published."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.reporter import InProcessReporter, Reporter
from raymon.reporter.node_reporter import NodeReporter
from raymon.reporter.windows.collation import Attempt
from raymon.results import Snapshot
from raymon.wire import Layout
from tests.reporter.test_reporter import Clock, make_reporter, snapshots
from tests.reporter.windows import auc_metrics, auc_window, clicks

SCORES = clicks(4, 0)


def window(rank: int, index: int, **options) -> bytes:
    """A window of a rank that waits for data, the longer the higher its number."""
    return auc_window(
        rank,
        index,
        (5 * index, 5 * index + 5),
        *SCORES,
        phases={"data": 1.0 + rank, "forward": 2.0 ** (index % 5), "checkpoint": 0.5},
        host_bytes=1e6 * (rank + index),
        time=1000.0 * index + rank,
        **options,
    )


def shown(snapshot: Snapshot | None) -> dict[int, dict[str, float]]:
    assert snapshot is not None
    numbers = snapshot.rank_numbers
    assert numbers is not None
    return {
        rank: {name: float(numbers.column(name)[i]) for name in numbers.names}
        for i, rank in enumerate(numbers.ranks)
    }


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.booleans(), st.randoms())
def test_each_rank_has_its_own_in_any_order_flat_and_through_nodes(ranks, by_node, random) -> None:
    reporter = Reporter(None, (), 10, late_after_s=5.0, clock=Clock())
    reporter.begin_attempt("t", ranks, 0, auc_metrics())
    attempt = Attempt(1, "t", ranks, 0, Layout.of_metrics(auc_metrics()))
    messages = [window(rank, index) for rank in range(ranks) for index in range(2)]
    random.shuffle(messages)
    node = NodeReporter(attempt, ranks, InProcessReporter(reporter), 10.0)
    for message in messages:
        (node if by_node else reporter).report(message)
    assert node.close(10)
    snapshot = reporter.snapshot()
    found = shown(snapshot)
    assert list(found) == list(range(ranks))
    for rank, numbers in found.items():
        assert {name: value for name, value in numbers.items() if value} == {
            "data": 2.0 + 2.0 * rank,
            "forward": 3.0,
            "checkpoint": 1.0,
            "host_bytes": 1e6 * (rank + 1),
        }
    assert snapshot is not None
    assert snapshot.time == 1000.0
    assert snapshot.anatomy.slowest_rank == ranks - 1
    assert snapshot.anatomy.slowest["data"] == 2.0 * ranks


def test_those_who_only_watch_have_no_numbers_of_single_ranks(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    for index in range(2):
        reporter.report(window(0, index))
    (seen,) = snapshots(reporter)
    assert seen.rank_numbers is None
    assert seen.anatomy.shares == pytest.approx(
        {"forward": 3 / 6, "data": 2 / 6, "checkpoint": 1 / 6}
    )


def test_a_restarted_reporter_still_has_them_and_a_roll_back_takes_them_back(
    tmp_path: Path,
) -> None:
    first = make_reporter(tmp_path, log_steps=10)
    first.begin_attempt("t", 2, 0, auc_metrics())
    for index in range(5):
        for rank in range(2):
            first.report(window(rank, index, checkpoint=index == 2))
    again = Reporter(tmp_path, (), 10, late_after_s=5.0, clock=Clock())
    assert again.go_on("t", auc_metrics())
    assert shown(again.snapshot()) == shown(first.snapshot())
    assert again.status().run.anatomy == first.status().run.anatomy

    third = Reporter(tmp_path, (), 10, late_after_s=5.0, clock=Clock())
    third.begin_attempt("u", 2, 15, auc_metrics())
    assert third.status().run.anatomy.median == {"data": 4.5, "forward": 7.0, "checkpoint": 1.5}
    for rank in range(2):
        message = auc_window(
            rank, 0, (15, 20), *SCORES, attempt=2, phases={"data": 1.0}, time=9.0 - rank
        )
        third.report(message)
    found = shown(third.snapshot())
    assert [(found[rank]["data"], found[rank]["forward"]) for rank in (0, 1)] == [
        (2.0, 4.0),
        (3.0, 4.0),
    ]
    snapshot = third.snapshot()
    assert snapshot is not None
    assert snapshot.time == 9.0
