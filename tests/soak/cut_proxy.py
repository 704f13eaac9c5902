"""A way to a server that can be cut: every connection through it breaks, and new ones are taken."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class CutProxy:
    """A TCP proxy on the loopback interface.

    Args:
        target: Address of the server, as `http://HOST:PORT`.

    Attributes:
        address: Address of the proxy, of the same form.
        cuts: Number of connections that were broken.
    """

    def __init__(self, target: str) -> None:
        self._host, self._port = urlsplit(target).hostname, urlsplit(target).port
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self.cuts = 0
        server = self._loop.run_until_complete(asyncio.start_server(self._pass_on, "127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Breaks every connection."""
        asyncio.run_coroutine_threadsafe(self._break_all(), self._loop).result(10)

    def close(self) -> None:
        """Ends the proxy."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _break_all(self) -> None:
        self.cuts += len(self._open)
        for writer in self._open:
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        there, back = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        self._open.discard(writer)

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(2**16):
                target.write(data)
                await target.drain()
        target.close()


@contextmanager
def cut_proxy(target: str) -> Iterator[CutProxy]:
    """Serves for as long as the block lasts."""
    proxy = CutProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
