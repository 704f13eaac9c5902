"""Sockets between the ranks of a process group."""

from __future__ import annotations

import os
import socket
import weakref
from contextlib import suppress

_KEEP_ALIVE = (
    ("TCP_KEEPIDLE", 10),
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 25_000),  # milliseconds
)
"""Options after which a connection to a machine that is gone ends within half a minute."""

_open: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def listen(address: str, backlog: int) -> socket.socket:
    """Returns a socket that listens at a free port of an address.

    Raises:
        OSError: The address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return own(socket.create_server((address, 0), family=family, backlog=backlog))


def connect(address: str, port: int, timeout_s: float) -> socket.socket:
    """Returns a connection.

    Raises:
        OSError: There is none.
    """
    return own(socket.create_connection((address, port), timeout_s))


def own(sock: socket.socket) -> socket.socket:
    """Makes a socket one of this process alone, and returns it.

    A process that is forked off would keep the connection open after the end of this one, and
    nobody would see that.
    """
    _open.add(sock)
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, value in _KEEP_ALIVE:
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return sock


def _leave_to_parent() -> None:
    for sock in list(_open):
        with suppress(OSError):
            sock.close()


os.register_at_fork(after_in_child=_leave_to_parent)
