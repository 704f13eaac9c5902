"""The server, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from aiohttp import web

from raymon.board.web.access import Access, with_headers
from raymon.board.web.answering import WORKERS, with_errors
from raymon.board.web.compare_route import add_compare_route
from raymon.board.web.configs import Configs
from raymon.board.web.event_route import add_event_route
from raymon.board.web.gallery import Gallery
from raymon.board.web.page_files import PageFiles
from raymon.board.web.run_routes import add_run_routes
from raymon.board.web.static_routes import add_static_routes
from raymon.board.web.summaries import Summaries
from raymon.board.web.watcher import Watcher

_THREADS = 4


def make_app(roots: Sequence[str], access: Access) -> web.Application:
    """Returns the server over the runs in some directories.

    Args:
        roots: Directories of runs, or those under which runs are; or their URIs.
        access: Who may read.
    """
    app = web.Application(middlewares=[with_headers, access.check, with_errors])
    gallery, summaries, configs = Gallery(roots), Summaries(), Configs()
    workers = app[WORKERS] = ThreadPoolExecutor(_THREADS, thread_name_prefix="board")
    watcher = Watcher(gallery, summaries, configs, workers)
    add_run_routes(app, gallery, summaries, configs)
    add_compare_route(app, gallery)
    add_event_route(app, watcher)
    add_static_routes(app, PageFiles())

    async def watching(_: web.Application) -> AsyncIterator[None]:
        watch = asyncio.create_task(watcher.watch())
        yield
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        workers.shutdown(wait=False, cancel_futures=True)

    app.cleanup_ctx.append(watching)
    return app
