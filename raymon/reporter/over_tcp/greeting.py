"""How a rank connects: it shows who it is, and learns whether it is taken."""

from __future__ import annotations

import socket
import time

from raymon.protos.report_pb2 import Hello, Invitation, Welcome
from raymon.reporter.over_tcp.frames import FrameReader, frame
from raymon.reporter.over_tcp.handshake import (
    RANDOM_BYTES,
    HandshakeError,
    new_secret,
    read_welcome,
    sign_hello,
)
from raymon.reporter.over_tcp.sockets import connect

_TIMEOUT_S = 5.0


def greet(hello: Hello, invitation: Invitation) -> tuple[socket.socket, Welcome]:
    """Connects to a reporter.

    Args:
        hello: What this rank says of itself; it gets new random bytes.
        invitation: Where the reporter is.

    Returns:
        The connection, and what the reporter says.

    Raises:
        OSError: Nobody is there.
        RaymonError: Whoever is there is not the reporter of this attempt.
    """
    sock = connect(invitation.address, invitation.port, _TIMEOUT_S)
    try:
        deadline, reader = time.monotonic() + _TIMEOUT_S, FrameReader()
        challenge = _receive(sock, reader, deadline)
        if len(challenge) != RANDOM_BYTES:
            raise HandshakeError("no challenge")
        hello.nonce = new_secret()
        sock.sendall(frame(sign_hello(invitation.token, challenge, hello)))
        answer = _receive(sock, reader, deadline)
        return sock, read_welcome(invitation.token, challenge, hello, answer)
    except BaseException:
        sock.close()
        raise


def _receive(sock: socket.socket, reader: FrameReader, deadline: float) -> bytes:
    while (message := reader.next()) is None:
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        # No more than this message: nothing is sent before the answer to it.
        data = sock.recv(1 << 12)
        if not data:
            raise HandshakeError("the other end ended the connection")
        reader.feed(data)
    return message
