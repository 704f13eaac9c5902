"""The channel of a rank to the reporter in the first rank of its process group."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from raymon.errors import AnswerError, RaymonError
from raymon.protos.report_pb2 import (
    ChannelAnswer,
    ChannelCall,
    GoodbyeCall,
    Hello,
    Invitation,
    NoticeCall,
    ProgressCall,
)
from raymon.reporter.over_tcp.calls import OWN_ATTEMPT, from_record_of_ack
from raymon.reporter.over_tcp.frames import MAX_FRAME_BYTES, FrameReader, frame
from raymon.reporter.over_tcp.greeting import greet
from raymon.reporter.over_tcp.sockets import own
from raymon.reporter.reporter import MAX_MESSAGE_BYTES
from raymon.reporter.store.evaluation_record import to_record
from raymon.results import CheckpointSaved, Evaluation
from raymon.wire import Ack, RankAnswer

_PAUSE_S = 0.2
"""Seconds between two attempts to connect."""

_GONE_S = 30.0
"""Seconds without a connection, once there was one, after which the first rank is gone."""

_HEED_S = 5.0
"""Seconds in which the first rank may take back that it refuses all others."""

_LOOK_S = 1.0
"""Seconds between two looks whether the channel is closed."""

_READ_BYTES = 1 << 16
_READ = selectors.EVENT_READ

Find = Callable[[], Invitation | None]
"""Returns the invitation of the first rank; None if there is none yet. It may take its time."""


class TcpChannel:
    """A `Channel` to the reporter of the first rank, also before that is there.

    Calls return at once. A thread connects, and connects again when the connection is cut: what was
    not answered is sent again, in its order. Once the first rank is gone, or does not take this
    one, whatever is sent is refused, so that nobody keeps it.

    Args:
        hello: What this rank says of itself.
        find: Returns the invitation of the first rank; called on the thread.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self, hello: Hello, find: Find, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hello = hello
        self._find = find
        self._clock = clock
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._number = 0
        # Calls without an answer, in order, and how many of them this connection has had.
        self._calls: dict[int, tuple[bytes, Future[Any]]] = {}
        self._unsent: list[int] = []
        self._is_connected = self._is_invited = False
        self._refused: str | None = None
        # The invitation that was taken: the process that sent it has the numbers so far.
        self._joined: Invitation | None = None
        self._cut_at = clock()
        self._refusing_since: float | None = None
        self._patience_until = float("inf")
        self._over = threading.Event()
        self._bell, self._ear = map(own, socket.socketpair())
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="raymon-channel", daemon=True)
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._is_connected

    def report(self, message: bytes) -> Future[Ack]:
        """Sends a serialised `WindowReport`; the reporter fills in its attempt."""
        if len(message) > MAX_MESSAGE_BYTES:
            return _done(_refusal(f"{len(message):,} bytes, more than {MAX_MESSAGE_BYTES:,}"))
        return self._call(ChannelCall(window=message))

    def beat(self, message: bytes) -> Future[Ack]:
        """Sends serialised `Heartbeats`; without a connection they are of no use."""
        if not self._is_connected:
            return _failed(AnswerError("the first rank is not connected"))
        return self._call(ChannelCall(heartbeats=message))

    def acknowledged(self) -> Future[Ack]:
        """Asks what is durable by now."""
        return self._call(ChannelCall(question=True))

    def publish_evaluation(self, evaluation: Evaluation) -> Future[None]:
        """Sends the scores of an evaluation."""
        return self._call(ChannelCall(evaluation=to_record(evaluation)))

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        """Sends a line for those who watch the run."""
        return self._call(ChannelCall(notice=NoticeCall(text=text, level=level)))

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """Sends how far an evaluation is."""
        told = ProgressCall(step=step, done=done, total=total, seconds=seconds)
        return self._call(ChannelCall(progress=told))

    def publish_checkpoint(self, checkpoint: CheckpointSaved) -> Future[None]:
        """Does nothing: the first rank says it."""
        return _done(None)

    def answer_request(self, answer: RankAnswer) -> Future[None]:
        """Does nothing: the ranks of a custom loop are asked for nothing."""
        return _done(None)

    def begin_close(self, patience_s: float) -> None:
        """Is told that the rank makes no more steps.

        Args:
            patience_s: Seconds in which a first rank that was not there yet may still come.
        """
        self._patience_until = self._clock() + patience_s
        self._ring()

    def close(self, failure: str | None, timeout_s: float) -> None:
        """Says goodbye, and ends; a second call does nothing.

        Args:
            failure: What ended the loop, in one line; None if that was not a failure.
            timeout_s: Seconds that it may take.
        """
        if self._over.is_set() or os.getpid() != self._process:
            return
        if self._is_invited:
            goodbye = self._call(ChannelCall(goodbye=GoodbyeCall(failure=failure)))
            with suppress(Exception):  # it is over, with or without it
                goodbye.result(timeout_s)
        self._over.set()
        self._ring()
        self._thread.join(_LOOK_S)

    def _call(self, call: ChannelCall) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._refused is not None:
                return _over(call, self._refused)
            self._number += 1
            call.number = self._number
            message = call.SerializeToString()
            self._calls[self._number] = message, future
            self._unsent.append(self._number)
        self._ring()
        return future

    def _ring(self) -> None:
        with suppress(OSError):  # it rings already, or is closed
            self._bell.send(b"x")

    def _run(self) -> None:
        while not self._over.is_set() and self._refused is None:
            sock = None
            try:
                sock = self._connect()
                if sock is not None:
                    self._talk(sock)
            except (OSError, RaymonError):
                pass
            except Exception as error:  # no failure here may end the thread
                self._give_up(f"the channel to rank 0 failed: {type(error).__name__}: {error}")
            finally:
                self._is_connected = False
                if sock is not None:
                    self._cut_at = self._clock()
                    sock.close()
            self._check_patience()
            if not self._over.is_set() and self._refused is None:
                self._over.wait(_PAUSE_S)
        self._bell.close()
        self._ear.close()

    def _connect(self) -> socket.socket | None:
        invitation = self._find()
        if invitation is None:
            return None
        self._is_invited = True
        if invitation.refused:
            self._heed(invitation.refused)
            return None
        if self._joined is not None and invitation.token != self._joined.token:
            # Of other workers: these have the windows of this rank no more.
            self._give_up(self._gone())
            return None
        sock, welcome = greet(self._hello, invitation)
        if welcome.refused:
            sock.close()
            self._give_up(welcome.refused)
            return None
        self._joined = invitation
        return sock

    def _talk(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        reader, out = FrameReader(), bytearray()
        reader.most_bytes = MAX_FRAME_BYTES
        with self._lock:
            # Whatever was not answered is sent again; the reporter knows what it has.
            self._unsent = list(self._calls)
        self._is_connected = True
        with selectors.DefaultSelector() as selector:
            selector.register(self._ear, selectors.EVENT_READ)
            selector.register(sock, selectors.EVENT_READ)
            while not self._over.is_set() and self._refused is None:
                out += self._take_unsent()
                with suppress(BlockingIOError):
                    while out:
                        del out[: sock.send(out)]
                selector.modify(sock, _READ | selectors.EVENT_WRITE if out else _READ)
                ready = {key.fileobj for key, events in selector.select(_LOOK_S) if events & _READ}
                if self._ear in ready:
                    self._ear.recv(1 << 12)
                if sock in ready:
                    data = sock.recv(_READ_BYTES)
                    if not data:
                        return
                    reader.feed(data)
                    while (message := reader.next()) is not None:
                        self._take(ChannelAnswer.FromString(message))

    def _take_unsent(self) -> bytes:
        with self._lock:
            numbers, self._unsent = self._unsent, []
            return b"".join(frame(self._calls[n][0]) for n in numbers if n in self._calls)

    def _take(self, answer: ChannelAnswer) -> None:
        if not answer.number:
            self._give_up(answer.failure)
            return
        with self._lock:
            _, future = self._calls.pop(answer.number, (b"", None))
        if future is None:
            return
        if answer.HasField("failure"):
            future.set_exception(AnswerError(answer.failure))
        elif answer.HasField("ack"):
            future.set_result(from_record_of_ack(answer.ack))
        else:
            future.set_result(None)

    def _heed(self, why: str) -> None:
        # It may be what the first rank of earlier workers said, if these are started again.
        if self._refusing_since is None:
            self._refusing_since = self._clock()
        elif self._clock() - self._refusing_since > _HEED_S:
            self._give_up(why)

    def _check_patience(self) -> None:
        now = self._clock()
        if self._refused is not None:
            return
        if self._joined is None and now > self._patience_until:
            self._give_up(
                "rank 0 has no raymon.Monitor that can be reached; make one on every rank"
            )
        elif self._joined is not None and now > min(self._patience_until, self._cut_at + _GONE_S):
            self._give_up(self._gone())

    def _gone(self) -> str:
        return "rank 0, which has the numbers of all ranks, is gone"

    def _give_up(self, why: str) -> None:
        with self._lock:
            self._refused = why
            calls, self._calls = self._calls, {}
        for message, future in calls.values():
            given_up = _over(ChannelCall.FromString(message), why)
            error = given_up.exception()
            if error is None:
                future.set_result(given_up.result())
            else:
                future.set_exception(error)


def _over(call: ChannelCall, why: str) -> Future[Any]:
    """Returns the answer to a call when no other will come: nobody sends it again, or keeps it."""
    what = call.WhichOneof("what")
    if what in ("window", "question"):
        return _done(_refusal(why))
    return _failed(AnswerError(why)) if what == "heartbeats" else _done(None)


def _refusal(why: str) -> Ack:
    return Ack(life="", attempt=OWN_ATTEMPT, refused=why)


def _done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def _failed(error: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
