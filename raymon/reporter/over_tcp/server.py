"""The reporter of a process group: in the first rank, for the others on TCP."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from raymon.errors import reason
from raymon.protos.report_pb2 import ChannelAnswer, ChannelCall, Hello, Invitation, Welcome
from raymon.reporter.in_process import InProcessReporter
from raymon.reporter.over_tcp.calls import answer_call
from raymon.reporter.over_tcp.connection import Connection
from raymon.reporter.over_tcp.frames import FrameError
from raymon.reporter.over_tcp.handshake import (
    HandshakeError,
    new_secret,
    read_hello,
    sign_welcome,
)
from raymon.reporter.over_tcp.roster import GoneRanks, Roster
from raymon.reporter.over_tcp.same_settings import difference
from raymon.reporter.over_tcp.sockets import listen, own

_log = logging.getLogger("raymon")

_TICK_S = 0.5
"""Seconds between two looks at which ranks are there."""

_GREETING_S = 10.0
"""Seconds in which the other end of a connection has to show who it is."""

_STRANGERS = 64
"""Connections at once whose other ends have not shown who they are."""

_UNREAD_BYTES = 4 << 20
"""Bytes of answers that a rank may leave unread before its connection is cut."""


@dataclass
class _Calls:
    """The calls of a channel, over all its connections."""

    channel: bytes
    taken: int = 0


class ReporterServer:
    """A thread that takes what the other ranks of a process group send, and names those that die.

    Only ranks that know the secret of the invitation are heard, and what they send is read as
    messages of a schema alone.

    Args:
        reporter: The reporter, in an attempt.
        attempt: Number of the attempt.
        own: What the first rank says of itself; the others have to be of the same group.
        address: Address of this machine to listen at.
        gone: Is told which ranks are gone.
        clock: Monotonic clock, in seconds.

    Raises:
        OSError: It cannot listen there.
    """

    def __init__(
        self,
        reporter: InProcessReporter,
        attempt: int,
        own_hello: Hello,
        address: str,
        gone: GoneRanks,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reporter = reporter
        self._attempt = attempt
        self._own = own_hello
        self._gone = gone
        self._clock = clock
        self._token = new_secret()
        self._roster = Roster(own_hello.world_size, clock)
        self._calls: dict[int, _Calls] = {}
        self._selector = selectors.DefaultSelector()
        self._socket = listen(address, backlog=min(own_hello.world_size + 16, 4096))
        self._socket.setblocking(False)
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._bell, self._ear = map(own, socket.socketpair())
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._told: set[str] = set()
        self._at_end = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="raymon-server", daemon=True)
        self._thread.start()

    @property
    def invitation(self) -> Invitation:
        """What the other ranks need to connect."""
        address, port = self._socket.getsockname()[:2]
        return Invitation(address=address, port=port, token=self._token)

    @property
    def here(self) -> int:
        """The number of other ranks that are connected."""
        return self._roster.here

    def begin_end(self) -> None:
        """Is told that the first rank makes no more steps: it waits less long for the others."""
        self._at_end = True

    def close(self) -> None:
        """Ends all connections; a second call does nothing."""
        if self._over.is_set():
            return
        self._over.set()
        with suppress(OSError):
            self._bell.send(b"x")
        self._thread.join(2 * _TICK_S)

    def _run(self) -> None:
        ticked_at = self._clock()
        while not self._over.is_set():
            try:
                for key, events in self._selector.select(_TICK_S):
                    self._serve(key.fileobj, key.data, events)
                if self._clock() - ticked_at >= _TICK_S:
                    ticked_at = self._clock()
                    self._tick()
            except Exception as error:  # no failure here may end the thread
                self._tell(f"the reporter of the other ranks: {reason(error)}")
                self._over.wait(_TICK_S)
        over = ChannelAnswer(failure="rank 0 has closed its monitor").SerializeToString()
        for connection in self._connections():
            with suppress(OSError):
                connection.send(over)
                connection.flush()
        for sock in (*(c.sock for c in self._connections()), self._socket, self._ear, self._bell):
            sock.close()
        self._selector.close()

    def _serve(self, sock: object, connection: Connection | None, events: int) -> None:
        if connection is not None:
            if connection.sock.fileno() >= 0:  # else it was replaced since
                self._talk(connection, events)
        elif sock is self._socket:
            self._accept()
        else:
            with suppress(OSError):
                self._ear.recv(64)

    def _accept(self) -> None:
        try:
            sock, _ = self._socket.accept()
        except OSError:  # it is gone already
            return
        if sum(c.peer is None for c in self._connections()) >= _STRANGERS:
            sock.close()
            return
        connection = Connection(own(sock), self._clock())
        self._selector.register(sock, selectors.EVENT_READ, connection)
        self._flush(connection)

    def _talk(self, connection: Connection, events: int) -> None:
        goes_on, why = True, ""
        try:
            if events & selectors.EVENT_READ:
                goes_on = connection.read()
                while (message := connection.next()) is not None:
                    self._take(connection, message)
        except (FrameError, HandshakeError, DecodeError) as error:
            goes_on, why = False, str(error)
            who = self._name(connection)
            self._tell(f"a connection was refused: {who}: {error}")
        except OSError as error:
            goes_on, why = False, reason(error)
        if goes_on:
            self._flush(connection)
        else:
            self._drop(connection, why)

    def _take(self, connection: Connection, message: bytes) -> None:
        peer = connection.peer
        if peer is None:
            self._greet(connection, read_hello(self._token, connection.challenge, message))
            return
        call = ChannelCall.FromString(message)
        calls = self._calls[peer.rank]
        if call.number <= calls.taken and call.WhichOneof("what") not in ("window", "heartbeats"):
            # It was done, and the answer was lost.
            connection.send(ChannelAnswer(number=call.number).SerializeToString())
            return
        if call.WhichOneof("what") == "goodbye":
            self._part(peer, call.goodbye.failure)
        answer = answer_call(self._reporter, self._attempt, call)
        calls.taken = max(calls.taken, call.number)
        connection.send(answer.SerializeToString())

    def _greet(self, connection: Connection, hello: Hello) -> None:
        rank, known = hello.rank, self._calls.get(hello.rank)
        why = difference(self._own, hello)
        other = self._connection_of(rank)
        if why is None and known is not None and known.channel != hello.channel and other:
            why = f"rank {rank} is connected already, from another process"
        welcome = Welcome(refused=why)
        connection.send(sign_welcome(self._token, connection.challenge, hello, welcome))
        if why is not None:
            self._tell(why)
            return
        if other is not None:
            # The same process, whose earlier connection has not ended here yet.
            self._forget(other)
        if known is None or known.channel != hello.channel:
            self._calls[rank] = _Calls(hello.channel)
        connection.accept(hello)
        if self._roster.join(rank, _name_of(hello)):
            self._gone.find(rank)
            self._reporter.look()

    def _part(self, peer: Hello, failure: str) -> None:
        self._roster.leave(peer.rank)
        if failure:
            text = f"{_name_of(peer)} ended with an exception: {failure}"
            self._reporter.publish_notice(text, logging.ERROR)

    def _drop(self, connection: Connection, why: str) -> None:
        peer = connection.peer
        self._forget(connection)
        if peer is None or not self._roster.cut(peer.rank):
            return
        # At once: whoever started the ranks may end this one in a moment.
        cause = f": {why}" if why else ""
        text = f"{_name_of(peer)} is gone: its connection ended without a word{cause}"
        self._gone.lose(peer.rank, peer.host, text)
        self._reporter.look()

    def _forget(self, connection: Connection) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(connection.sock)
        connection.sock.close()

    def _flush(self, connection: Connection) -> None:
        try:
            connection.flush()
        except OSError as error:
            self._drop(connection, reason(error))
            return
        if connection.unsent_bytes > _UNREAD_BYTES:
            self._drop(connection, "it does not read the answers")
            return
        events = selectors.EVENT_READ
        if connection.unsent_bytes:
            events |= selectors.EVENT_WRITE
        self._selector.modify(connection.sock, events, connection)

    def _tick(self) -> None:
        now = self._clock()
        for connection in self._connections():
            if connection.peer is None and now - connection.opened_at > _GREETING_S:
                self._forget(connection)
        absent = self._roster.absent(self._reporter.waits_s, self._at_end)
        unseen = set(absent).intersection(self._roster.unseen())
        if unseen:
            self._tell(_unseen(sorted(unseen), self._own.world_size))
        if absent:
            self._reporter.give_up(absent)

    def _connections(self) -> list[Connection]:
        keys = self._selector.get_map().values()
        return [key.data for key in keys if isinstance(key.data, Connection)]

    def _connection_of(self, rank: int) -> Connection | None:
        found = (c for c in self._connections() if c.peer is not None and c.peer.rank == rank)
        return next(found, None)

    def _name(self, connection: Connection) -> str:
        if connection.peer is not None:
            return _name_of(connection.peer)
        try:
            return str(connection.sock.getpeername()[0])
        except OSError:
            return "somebody"

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._reporter.publish_notice(f"monitoring: {text}")


def _name_of(hello: Hello) -> str:
    return f"rank {hello.rank} ({hello.host}, pid {hello.pid})"


def _unseen(ranks: list[int], world_size: int) -> str:
    names = ", ".join(map(str, ranks[:8])) + (" and more" if len(ranks) > 8 else "")
    who = f"ranks {names} have" if len(ranks) > 1 else f"rank {names} has"
    return (
        f"{who} no raymon.Monitor that is heard, and the numbers are those of "
        f"{world_size - len(ranks)} of {world_size} ranks; make one on every rank"
    )
