"""One connection of a server: bytes in both directions, and who is at the other end."""

from __future__ import annotations

import socket

from raymon.protos.report_pb2 import Hello
from raymon.reporter.over_tcp.frames import MAX_FRAME_BYTES, FrameReader, frame
from raymon.reporter.over_tcp.handshake import new_secret

_READ_BYTES = 1 << 20


class Connection:
    """A connection that never blocks.

    Args:
        sock: Its socket.
        now: The time, in seconds.

    Attributes:
        sock: Its socket.
        opened_at: Time at which it was opened, in seconds.
        challenge: What the other end has to answer.
        peer: Who that is; None before it has answered.
    """

    def __init__(self, sock: socket.socket, now: float) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.opened_at = now
        self.challenge = new_secret()
        self.peer: Hello | None = None
        self._reader = FrameReader()
        self._unsent = bytearray()
        self.send(self.challenge)

    def accept(self, peer: Hello) -> None:
        """Takes messages of any size from now on: the other end is known."""
        self.peer = peer
        self._reader.most_bytes = MAX_FRAME_BYTES

    def read(self) -> bool:
        """Reads what has come.

        Returns:
            Whether there may come more.

        Raises:
            OSError: The connection is cut.
        """
        try:
            data = self.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        self._reader.feed(data)
        return bool(data)

    def next(self) -> bytes | None:
        """Returns the next message that has come whole; None if there is none.

        Raises:
            FrameError: It is too large.
        """
        return self._reader.next()

    def send(self, message: bytes) -> None:
        """Sends a message, as far as that goes without waiting."""
        self._unsent += frame(message)

    def flush(self) -> None:
        """Sends what is left, as far as that goes without waiting.

        Raises:
            OSError: The connection is cut.
        """
        while self._unsent:
            try:
                sent = self.sock.send(self._unsent)
            except BlockingIOError:
                return
            del self._unsent[:sent]

    @property
    def unsent_bytes(self) -> int:
        """The number of bytes that are not sent yet."""
        return len(self._unsent)
