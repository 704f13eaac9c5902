"""A proxy as JupyterHub's: it serves another server under a path, and under a name of its own."""

from __future__ import annotations

import asyncio
import threading

import aiohttp
from aiohttp import web

PREFIX = "/user/me/proxy/6007"


class PathProxy:
    """A proxy in a thread; `url` is where the server behind it has its root.

    Args:
        port: Port of the server, on the loopback interface.
        name: `Host` of the requests that the server gets.
    """

    def __init__(self, port: int, name: str) -> None:
        self._target, self._name = f"http://127.0.0.1:{port}", name
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _start(self) -> str:
        self._client = aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        app = web.Application()
        app.router.add_get(PREFIX + "/{rest:.*}", self._pass_on)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}{PREFIX}/"

    async def _stop(self) -> None:
        await self._client.close()
        await self._runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        headers = {**request.headers, "Host": self._name}
        rest = request.raw_path.removeprefix(PREFIX)
        async with self._client.get(
            self._target + rest, headers=headers, allow_redirects=False
        ) as answer:
            passed = web.StreamResponse(status=answer.status)
            for name, value in answer.headers.items():
                if name not in ("Transfer-Encoding", "Connection"):
                    passed.headers.add(name, value)
            await passed.prepare(request)
            async for part in answer.content.iter_any():
                await passed.write(part)
            return passed
