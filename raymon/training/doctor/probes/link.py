"""Measures the network from one machine to another, by a connection of TCP."""

from __future__ import annotations

import socket
import threading
import time

from raymon.errors import os_reason

_PIECE = bytes(1 << 20)
_MOST_BYTES = 256 << 20
_MOST_S = 1.0
_CONNECTS_S = 5.0


class Listener:
    """Takes bytes on a port of this machine, from one connection after the other.

    Args:
        host: Address that others reach this machine at.
    """

    def __init__(self, host: str) -> None:
        self._socket = socket.create_server((host, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Address and port to connect to."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Stops to listen."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # it is closed
                return
            with connection:
                buffer = bytearray(1 << 20)
                try:
                    while connection.recv_into(buffer):
                        pass
                    # All has arrived.
                    connection.sendall(b"\0")
                except OSError:
                    continue


def send(address: tuple[str, int], most_s: float = _MOST_S) -> float | str:
    """Sends bytes to a `Listener` for a second at most.

    Args:
        address: Address and port of the listener.
        most_s: Seconds to send at most.

    Returns:
        Bytes per second; or why there is no connection.
    """
    try:
        with socket.create_connection(address, timeout=_CONNECTS_S) as connection:
            sent, begun = 0, time.perf_counter()
            while sent < _MOST_BYTES and time.perf_counter() - begun < most_s:
                connection.sendall(_PIECE)
                sent += len(_PIECE)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(10 * most_s + _CONNECTS_S)
            connection.recv(1)
            return sent / (time.perf_counter() - begun)
    except OSError as error:
        return os_reason(error)
