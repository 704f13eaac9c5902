"""`/api/events`: Server-Sent Events that say which runs have changed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import web

from raymon.board.web.access import HEADERS
from raymon.board.web.watcher import Watcher
from raymon.storage import to_json

_HEARTBEAT_S = 15.0


def add_event_route(app: web.Application, watcher: Watcher) -> None:
    """Adds the stream of events.

    Args:
        app: The server.
        watcher: Who knows what changes.
    """

    async def events(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers=HEADERS)
        stream.content_type = "text/event-stream"
        stream.headers["Cache-Control"] = "no-store"
        stream.headers["X-Accel-Buffering"] = "no"
        # A browser goes away whenever it likes.
        with suppress(ConnectionError), watcher.listening() as changes:
            await stream.prepare(request)
            await stream.write(b": raymon board\n\n")
            while True:
                try:
                    versions = await asyncio.wait_for(changes.get(), _HEARTBEAT_S)
                    text = f"data: {to_json({'runs': versions})}\n\n"
                except TimeoutError:
                    text = ": still there\n\n"
                await stream.write(text.encode())
        return stream

    app.router.add_get("/api/events", events)
