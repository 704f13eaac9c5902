"""Serves the page until it is interrupted."""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web

from raymon.board.web.access import Access, is_loopback
from raymon.board.web.app import make_app
from raymon.errors import UserError, os_reason

PORT = 6007
"""The port that is taken if it is free: the one after that of TensorBoard."""

_TRIED = 50

_MOST_ADDRESS = 64 << 10
"""Bytes of the longest address, that of a chart of many curves."""


class BoardError(UserError):
    """The page cannot be served as it was asked for."""


def serve(roots: Sequence[str], host: str, port: int | None, say: Callable[[str], None]) -> None:
    """Serves the page over the runs in some directories, until an exception ends it.

    Args:
        roots: Directories of runs, or those under which runs are; or their URIs.
        host: Name or address that it listens on.
        port: Port that it listens on; None for `PORT`, or a free one after it.
        say: Prints a line.

    Raises:
        BoardError: It cannot listen there.
    """
    listener = _listen(host, port)
    number = listener.getsockname()[1]
    token, is_open = secrets.token_urlsafe(24), not is_loopback(host)
    app = make_app(roots, Access(token, is_open=is_open, port=number))
    name = f"[{host}]" if ":" in host else host
    link = f"http://{name}:{number}/"
    if is_open:
        lines = [
            f"raymon board: {link}?token={token}",
            "Whoever reaches this port and has this link can read these runs. Ctrl-C ends it.",
        ]
    else:
        lines = [
            f"raymon board: {link} (Ctrl-C ends it)",
            f"Through a proxy of another name, add ?token={token}",
        ]
    lines += [f"{root}: there is no such directory yet" for root in roots if _is_missing(root)]

    def ready() -> None:
        for line in lines:
            say(line)

    asyncio.run(_serve(app, listener, ready))


def _is_missing(root: str) -> bool:
    return "://" not in root and not Path(root).expanduser().exists()


async def _serve(app: web.Application, listener: socket.socket, ready: Callable[[], None]) -> None:
    runner = web.AppRunner(
        app,
        access_log=None,
        # Whoever sends what is no request is told so; what fails here is logged elsewhere.
        logger=logging.Logger("requests", logging.CRITICAL + 1),
        handle_signals=False,
        # A page that is closed listens no more, and is told nothing more.
        handler_cancellation=True,
        shutdown_timeout=0.2,
        max_line_size=_MOST_ADDRESS,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        ready()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _listen(host: str, port: int | None) -> socket.socket:
    """Returns a socket that listens on a port that is free."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise BoardError(f"--host {host}: there is no such name or address") from None
    tried = range(PORT, PORT + _TRIED) if port is None else (port,)
    for number in tried:
        try:
            return socket.create_server((address[0], number), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise BoardError(f"{host}, port {number}: {os_reason(error)}") from None
    if port is not None:
        raise BoardError(f"port {port} is in use: give another --port, or none for a free one")
    raise BoardError(f"ports {tried[0]} to {tried[-1]} are in use: give another --port")
