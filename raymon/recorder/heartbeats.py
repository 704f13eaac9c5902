"""Says every two seconds where the training thread of a rank is."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from raymon.protos.report_pb2 import Heartbeat
from raymon.recorder.phase_clock import PhaseClock
from raymon.recorder.promises import Promises
from raymon.results import STEP, STEP_PHASES
from raymon.wire import Ack, BeatChannel, encode_heartbeats

BEAT_S = 2.0
"""Seconds between two heartbeats."""

_LOOK_S = 0.5
"""Seconds between two looks at where the training thread is."""

_ANSWER_S = 10.0
"""Seconds for which the next heartbeat waits for the answer to one."""

_LAST_S = 1.0
"""Seconds that the last heartbeat has to arrive."""


class Heart:
    """A thread of a worker that sends heartbeats, from before its attempt is known to its end.

    One every `BEAT_S`, and at once when the training thread goes from steps to something else, or
    back. It costs the training thread nothing, and a failure to send does no harm: that a rank is
    silent is what the heartbeats are about.

    Args:
        channel: Channel to the reporter of the run.
        rank: Rank of this worker.
        world_size: Number of ranks.
        node_id: Id of its node in Ray; empty without Ray.
        clock: Clock of the training thread.
        waits: Returns whether the training thread waits for other ranks, as far as is known.
        hang_after_s: Seconds that the rank promises at least for a phase of a step.
        attempt: Number of the attempt; 0 if it is not known yet, or the channel fills it in.
    """

    def __init__(
        self,
        channel: BeatChannel,
        *,
        rank: int,
        world_size: int,
        node_id: str,
        clock: PhaseClock,
        waits: Callable[[], bool],
        hang_after_s: float,
        attempt: int = 0,
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._waits = waits
        self._promises = Promises(hang_after_s)
        self._beat = Heartbeat(
            rank=rank,
            host=socket.gethostname(),
            pid=os.getpid(),
            node_id=node_id,
            world_size=world_size,
            attempt=attempt,
        )
        self._sent_at = -float("inf")
        self._sent_phase = ""
        self._answer: Future[Ack] | None = None
        self._on_ack: Callable[[Ack], None] = _ignore
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="raymon-heartbeats", daemon=True)
        self._thread.start()

    def begin_attempt(
        self, channel: BeatChannel, attempt: int, on_ack: Callable[[Ack], None]
    ) -> None:
        """Goes on in an attempt that has begun.

        Args:
            channel: Channel of this rank in the attempt.
            attempt: Number of the attempt.
            on_ack: Called on the thread of the heartbeats with every answer.
        """
        self._channel, self._beat.attempt, self._on_ack = channel, attempt, on_ack

    def close(self) -> None:
        """Sends the last heartbeat, which says that no more will come; waits a moment for it."""
        self._stop.set()
        self._thread.join(_LAST_S)
        self._beat.last = True
        try:
            self._look()
            self._send()
            if self._answer is not None:
                self._answer.exception(timeout=_LAST_S)
        except Exception:  # the run is over, with or without it
            return

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._look()
                self._take_answer()
                if self._is_due():
                    self._send()
            except Exception:  # the next one is tried all the same
                self._answer = None
            self._stop.wait(_LOOK_S)

    def _look(self) -> None:
        moment, now = self._clock.look()
        beat = self._beat
        beat.deadline_s = self._promises.look(moment, now, self._clock.first_step)
        beat.phase_s = self._promises.lasted_s
        beat.step, beat.phase, beat.waits = moment.step, moment.phase, self._waits()

    def _take_answer(self) -> None:
        answer = self._answer
        if answer is not None and answer.done():
            self._answer = None
            self._on_ack(answer.result())

    def _is_due(self) -> bool:
        since_s = time.monotonic() - self._sent_at
        if self._answer is not None and since_s < _ANSWER_S:
            return False
        return since_s >= BEAT_S or _kind(self._beat.phase) != _kind(self._sent_phase)

    def _send(self) -> None:
        self._sent_at, self._sent_phase = time.monotonic(), self._beat.phase
        self._answer = self._channel.beat(encode_heartbeats([self._beat]))


def _ignore(ack: Ack) -> None:
    """Takes the answers to a worker that has no attempt yet."""


def _kind(phase: str) -> str:
    return STEP if phase in STEP_PHASES else phase
