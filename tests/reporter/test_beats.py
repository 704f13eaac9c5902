"""Heartbeats of ranks at the reporter, of those that start too, and through a node's reporter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.report_pb2 import Heartbeat
from raymon.reporter.node_beats import NodeBeats
from raymon.reporter.reporter import Reporter
from raymon.results import FORWARD, START
from raymon.wire import decode_heartbeats, encode_heartbeats


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def beat(rank: int, phase: str = START, attempt: int = 0, phase_s: float = 1.0) -> bytes:
    return encode_heartbeats(
        [
            Heartbeat(
                attempt=attempt,
                rank=rank,
                world_size=2,
                host="h",
                pid=10 + rank,
                phase=phase,
                phase_s=phase_s,
                deadline_s=20,
            )
        ]
    )


def _reporter(clock: Clock) -> Reporter:
    return Reporter(None, [], 10, 10, clock)


def test_workers_are_known_before_their_attempt_begins_and_after() -> None:
    clock = Clock()
    reporter = _reporter(clock)
    reporter.beat(beat(1, phase_s=3))
    clock.now += 2
    assert [(r.pid, r.phase, r.phase_s) for r in reporter.ranks()] == [(0, "", 0), (11, START, 5)]
    assert reporter.begin_attempt("token", 2, 0, {}) == 1
    # It has not heard of its attempt yet.
    reporter.beat(beat(1, phase_s=5))
    reporter.beat(beat(0, FORWARD, attempt=1))
    assert [(r.pid, r.phase) for r in reporter.ranks()] == [(10, FORWARD), (11, START)]


def test_workers_that_are_started_again_take_the_place_of_those_that_are_gone() -> None:
    clock = Clock()
    reporter = _reporter(clock)
    reporter.begin_attempt("token", 2, 0, {})
    reporter.beat(beat(0, FORWARD, attempt=1))
    clock.now += 50
    reporter.beat(beat(0, phase_s=1))
    assert [(r.pid, r.phase) for r in reporter.ranks()] == [(10, START), (0, "")]
    # What comes late of those before is no news of them.
    reporter.beat(beat(1, FORWARD, attempt=1))
    assert [r.phase for r in reporter.ranks()] == [START, ""]
    reporter.begin_attempt("another", 2, 0, {})
    assert [r.pid for r in reporter.ranks()] == [0, 0]


def test_a_heartbeat_that_cannot_be_is_refused() -> None:
    reporter = _reporter(Clock())
    reporter.begin_attempt("token", 2, 0, {})
    for message in (b"\xff\xff", beat(2), beat(7, attempt=1)):
        assert reporter.beat(message).refused
    assert reporter.counts.refused == 3


@given(st.lists(st.tuples(st.integers(0, 7), st.floats(0, 1)), max_size=60))
def test_a_node_passes_on_the_newest_of_each_rank_with_its_age_and_seldom(
    arrivals: list[tuple[int, float]],
) -> None:
    node, now, sent_at = NodeBeats(2.0), 100.0, -float("inf")
    newest: dict[int, tuple[int, float]] = {}
    for number, (rank, pause) in enumerate(arrivals):
        now += pause
        newest[rank] = (number, now)
        message = encode_heartbeats([Heartbeat(rank=rank, world_size=8, step=number, phase_s=1)])
        passed_on = node.add(message, now)
        assert (passed_on is not None) == (now - sent_at >= 2.0)
        if passed_on is not None:
            sent_at = now
            beats = {b.rank: b for b in decode_heartbeats(passed_on)}
            assert {r: b.step for r, b in beats.items()} == {r: n for r, (n, _) in newest.items()}
            for r, (_, came) in newest.items():
                assert abs(beats[r].phase_s - (1 + now - came)) < 1e-9
            newest.clear()


def test_a_node_passes_on_the_last_heartbeat_of_a_rank_at_once() -> None:
    node = NodeBeats(2.0)
    node.add(encode_heartbeats([Heartbeat(rank=0, world_size=1)]), 0.0)
    last = encode_heartbeats([Heartbeat(rank=0, world_size=1, last=True)])
    assert node.add(last, 0.1) is not None
