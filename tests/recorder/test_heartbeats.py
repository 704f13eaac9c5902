"""Heartbeats: from the start of a worker to its end, whatever becomes of those that are sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from raymon.protos.report_pb2 import Heartbeat
from raymon.recorder import Heart, PhaseClock
from raymon.results import EVALUATION, FORWARD, START
from raymon.wire import Ack, decode_heartbeats


class Channel:
    """Keeps heartbeats, and answers as it is told to."""

    def __init__(self, answers: Callable[[], Future[Ack]]) -> None:
        self.beats: list[Heartbeat] = []
        self._answers = answers
        self._came = threading.Condition()

    def beat(self, message: bytes) -> Future[Ack]:
        with self._came:
            self.beats += decode_heartbeats(message)
            self._came.notify_all()
        return self._answers()

    def wait_for(self, condition: Callable[[Heartbeat], bool]) -> Heartbeat:
        with self._came:
            assert self._came.wait_for(lambda: any(map(condition, self.beats)), 30)
            return next(filter(condition, self.beats))


def _done() -> Future[Ack]:
    answer: Future[Ack] = Future()
    answer.set_result(Ack("life", 1))
    return answer


def _failed() -> Future[Ack]:
    answer: Future[Ack] = Future()
    answer.set_exception(ConnectionError("gone"))
    return answer


def _raise() -> Future[Ack]:
    raise ConnectionError("gone")


def _heart(channel: Channel, clock: PhaseClock, waits: bool = False) -> Heart:
    return Heart(
        channel,
        rank=1,
        world_size=2,
        node_id="node",
        clock=clock,
        waits=lambda: waits,
        hang_after_s=20,
    )


def test_heartbeats_begin_before_the_attempt_and_end_with_one_that_says_so() -> None:
    channel, clock, acks = Channel(_done), PhaseClock(), []
    heart = _heart(channel, clock, waits=True)
    first = channel.wait_for(lambda beat: beat.phase == START)
    assert (first.attempt, first.rank, first.world_size, first.node_id) == (0, 1, 2, "node")
    assert first.pid > 0
    assert first.host
    assert first.waits
    assert first.deadline_s == 600
    other = Channel(_done)
    heart.begin_attempt(other, 7, acks.append)
    clock.step = 12
    clock.enter(FORWARD)
    # At once, since it is another kind of phase.
    assert other.wait_for(lambda beat: beat.phase == FORWARD).step == 12
    clock.enter(EVALUATION)
    assert other.wait_for(lambda beat: beat.phase == EVALUATION).attempt == 7
    heart.close()
    assert other.beats[-1].last
    assert not any(beat.last for beat in other.beats[:-1])
    assert acks


def test_heartbeats_that_cannot_be_sent_do_no_harm_and_are_sent_again() -> None:
    for answers in (_failed, _raise, Future):
        channel, clock = Channel(answers), PhaseClock()
        began = time.monotonic()
        heart = _heart(channel, clock)
        channel.wait_for(lambda beat: beat.phase == START)
        heart.close()
        assert channel.beats[-1].last
        assert time.monotonic() - began < 20
