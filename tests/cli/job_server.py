"""The part of Ray's REST API that jobs need, in this process: what a cluster would answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ray
from aiohttp import WSMsgType, web


@dataclass
class JobServer:
    """A head of a cluster, and what becomes of the jobs that are handed to it.

    Attributes:
        address: Address that it answers at.
        jobs: What it says of each job, by name.
        log: Pieces of the log of every job.
        cuts: After how many pieces the connection breaks, the first time, the second and so on.
        ends: What changes of a job when its log has been read.
        submitted: What was handed to it.
        silent: Whether it stops talking in place of breaking the connection.
    """

    address: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    ends: dict[str, Any] = field(default_factory=dict)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    silent: bool = False

    def add(self, name: str, **values: Any) -> None:
        """Adds a job that was handed to it earlier."""
        plain = {"type": "SUBMISSION", "entrypoint": "raymon train", "status": "RUNNING"}
        self.jobs[name] = {**plain, "submission_id": name, "metadata": {}, **values}

    def app(self) -> web.Application:
        """What it answers."""
        app = web.Application(client_max_size=2**26)
        app.add_routes(
            [
                web.get("/api/version", self._version),
                web.get("/api/packages/{protocol}/{name}", self._is_there),
                web.put("/api/packages/{protocol}/{name}", self._is_there),
                web.post("/api/jobs/", self._submit),
                web.get("/api/jobs/{job}", self._job),
                web.get("/api/jobs/{job}/logs/tail", self._tail),
            ]
        )
        return app

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "4", "ray_version": ray.__version__})

    async def _is_there(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _submit(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self.submitted.append(wanted)
        self.add(wanted["submission_id"], metadata=wanted["metadata"])
        answer = {"job_id": wanted["submission_id"], "submission_id": wanted["submission_id"]}
        return web.json_response(answer)

    async def _job(self, request: web.Request) -> web.Response:
        name = request.match_info["job"]
        if name not in self.jobs:
            return web.Response(status=404, text=f"Job {name} does not exist")
        return web.json_response(self.jobs[name])

    async def _tail(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        pieces = self.cuts.pop(0) if self.cuts else None
        for piece in self.log[:pieces]:
            await socket.send_str(piece)
        if pieces is not None:
            if self.silent:
                while (await socket.receive()).type != WSMsgType.CLOSE:
                    pass
            assert request.transport is not None
            request.transport.abort()
        else:
            self.jobs[request.match_info["job"]].update(self.ends)
        return socket


@contextmanager
def job_server() -> Iterator[JobServer]:
    """Serves on the loopback interface, from a thread, for as long as the block lasts."""
    loop, server = asyncio.new_event_loop(), JobServer()
    runner = web.AppRunner(server.app(), shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        server.address = f"http://{host}:{port}"

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
