from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.protos.report_pb2 import Heartbeat, WindowReport
from raymon.recorder import outbox as outbox_module
from raymon.reporter import InProcessReporter, Reporter
from raymon.reporter.node_reporter import NodeChannel, NodeReporter
from raymon.reporter.windows.collation import Attempt
from raymon.results import Snapshot
from raymon.wire import STOP, Ack, Layout, RankRequest, encode_heartbeats
from tests.reporter.windows import auc_metrics, auc_window, clicks


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch) -> None:
    monkeypatch.setattr(outbox_module, "_RETRY_S", 0.01)
    monkeypatch.setattr(outbox_module, "_ASK_S", 0.01)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def attempt(world_size: int) -> Attempt:
    return Attempt(1, "t", world_size, 0, Layout.of_metrics(auc_metrics()))


def root(world_size: int) -> Reporter:
    reporter = Reporter(None, [], 10, late_after_s=1e9)
    reporter.begin_attempt("t", world_size, 0, auc_metrics())
    return reporter


def window(rank: int, index: int) -> bytes:
    steps = (10 * index, 10 * index + 10)
    return auc_window(rank, index, steps, *clicks(30, 100 * index + rank), loss=0.1 * rank)


def snapshots(reporter: Reporter) -> list[Snapshot]:
    return [p for p in reporter.published()[0] if isinstance(p, Snapshot)]


def values(reporter: Reporter) -> list[tuple]:
    return [(s.metrics, s.losses, s.samples, s.coverage.ranks) for s in snapshots(reporter)]


@settings(max_examples=15)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 4), st.randoms())
def test_a_tree_gives_the_numbers_of_a_flat_merge(sizes: list[int], windows: int, random) -> None:
    ranks = sum(sizes)
    flat = root(ranks)
    for index in range(windows):
        for rank in range(ranks):
            flat.report(window(rank, index))

    top = root(ranks)
    channel = InProcessReporter(top)
    nodes = [NodeReporter(attempt(ranks), size, channel, 10.0) for size in sizes]
    node_of = [node for node, size in zip(nodes, sizes, strict=True) for _ in range(size)]
    order = [(rank, index) for index in range(windows) for rank in range(ranks)]
    random.shuffle(order)
    for rank, index in order:
        node_of[rank].report(window(rank, index))
    for node in nodes:
        assert node.close(10)
        assert node.acknowledged().durable == {1: windows}
    assert values(top) == values(flat)
    # One message for each node and window, whatever the number of ranks.
    assert top.status().duplicates == 0


class Forwarded:
    """A root that remembers what comes, and has nothing on storage until a test says so."""

    def __init__(self) -> None:
        self.reports: list[WindowReport] = []
        self.durable = 0
        self.came = threading.Condition()

    def report(self, message: bytes) -> Future:
        with self.came:
            self.reports.append(WindowReport.FromString(message))
            self.came.notify_all()
        return self.acknowledged()

    def acknowledged(self) -> Future:
        future: Future = Future()
        future.set_result(Ack("root", 1, durable={1: self.durable}))
        return future

    def wait_for(self, count: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.reports) >= count, 30)


def test_ranks_keep_their_windows_until_the_reporter_of_the_run_has_them() -> None:
    top = Forwarded()
    node = NodeReporter(attempt(2), 2, top, 10.0)
    for rank in range(2):
        assert not node.report(window(rank, 0)).settles(1, 0)
    top.wait_for(1)
    assert not node.acknowledged().settles(1, 0)
    top.durable = 1
    assert node.close(10)
    assert node.acknowledged().settles(1, 0)


def test_a_window_is_handed_on_late_without_a_rank_and_again_with_it() -> None:
    top, clock = Forwarded(), Clock()
    node = NodeReporter(attempt(3), 3, top, late_after_s=5.0, clock=clock)
    for rank in (0, 2):
        node.report(window(rank, 0))
    node.acknowledged()
    clock.now = 6.0
    node.acknowledged()
    top.wait_for(1)
    assert list(top.reports[0].ranks) == [0, 2]
    node.report(window(1, 0))
    top.wait_for(2)
    assert list(top.reports[-1].ranks) == [0, 1, 2]
    # The reporter of the run counts each rank once.
    whole = root(3)
    for report in top.reports:
        whole.report(report.SerializeToString())
    assert values(whole)[0][2:] == (90, 3)
    top.durable = 1
    assert node.close(10)


def test_windows_of_an_earlier_attempt_are_handed_on_as_they_are() -> None:
    top = Forwarded()
    node = NodeReporter(attempt(2), 2, top, 10.0)
    old = WindowReport.FromString(window(0, 3))
    old.attempt = 0
    node.report(old.SerializeToString())
    top.wait_for(1)
    assert (top.reports[0].attempt, list(top.reports[0].ranks)) == (0, [0])


def test_nothing_of_an_earlier_attempt_is_settled_before_the_reporter_of_the_run_has_spoken() -> (
    None
):
    # Ranks of a restored run send what is left of the attempt before: it must not go unheard.
    second = Attempt(2, "u", 2, 40, Layout.of_metrics(auc_metrics()))
    node = NodeReporter(second, 2, Forwarded(), 10.0)
    ack = node.report(window(0, 0))
    for index in range(20):
        assert not ack.settles(1, index)
        assert not ack.settles(2, index)


def test_a_bad_message_is_refused_and_the_node_lives() -> None:
    node = NodeReporter(attempt(1), 1, Forwarded(), 10.0)
    assert node.report(b"\xff").refused is not None
    assert node.report(window(5, 0)).refused is not None
    assert node.report(window(0, 0)).refused is None


def test_a_rank_whose_node_has_no_reporter_any_more_goes_straight_to_that_of_the_run() -> None:
    class Dead:
        def report(self, message: bytes) -> Future:
            future: Future = Future()
            future.set_exception(ConnectionError("gone"))
            return future

        acknowledged = report

    top = Forwarded()
    way = NodeChannel(Dead(), top)
    with pytest.raises(ConnectionError):
        way.report(window(0, 0)).result()
    assert way.report(window(0, 0)).result().life == "root"
    assert len(top.reports) == 1


def test_a_rank_in_two_reports_of_a_window_counts_once() -> None:
    """A rank that left a dead node reporter reports a window that its node has reported too."""
    layout = Layout.of_metrics(auc_metrics())
    from raymon.reporter.windows.window_sum import WindowSum

    def joint(*ranks: int) -> bytes:
        total = WindowSum.of(WindowReport.FromString(window(ranks[0], 0)), layout)
        for rank in ranks[1:]:
            from raymon.wire.counts import decode_counts

            part = WindowReport.FromString(window(rank, 0))
            total.add(part, decode_counts(part.counts, layout.size))
        return total.to_message().SerializeToString()

    expected = root(3)
    for rank in range(3):
        expected.report(window(rank, 0))
    for order in (
        [joint(0, 1), window(1, 0), window(2, 0)],
        [window(1, 0), joint(0, 1), window(2, 0)],
        [joint(0, 1), joint(1, 2), window(2, 0)],
        [joint(0, 1), joint(0, 1, 2)],
        [joint(1, 2), joint(0, 1), window(0, 0)],
    ):
        reporter = root(3)
        for message in order:
            reporter.report(message)
        assert values(reporter) == values(expected)


def test_a_request_reaches_the_ranks_of_a_node_with_the_answers_to_their_heartbeats() -> None:
    reporter, clock = root(2), Clock()
    node = NodeReporter(attempt(2), 2, InProcessReporter(reporter), 1.0, clock)
    beats = [encode_heartbeats([Heartbeat(rank=r, attempt=1, world_size=2)]) for r in range(2)]
    try:
        assert node.beat(beats[0]).request is None
        reporter.ask_ranks(RankRequest(7, STOP))
        clock.now += 10.0
        node.beat(beats[1])
        assert node.beat(beats[0]).request == RankRequest(7, STOP)
    finally:
        node.close(0.0)
