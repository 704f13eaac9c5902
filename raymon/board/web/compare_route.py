"""The address of runs beside each other."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from raymon.board.web.answering import json_answer, query_of
from raymon.board.web.answers.compare import compare
from raymon.board.web.gallery import Gallery
from raymon.board.web.query import QueryError

_MOST = 20


def add_compare_route(app: web.Application, gallery: Gallery) -> None:
    """Adds the address.

    Args:
        app: The server.
        gallery: The runs.
    """

    async def handler(request: web.Request) -> web.Response:
        ids = query_of(request).names("runs", _MOST)
        if not ids:
            raise QueryError("runs is missing: ids of runs, parted by commas")

        def answer() -> dict[str, Any]:
            shown = {run_id: gallery.run(run_id) for run_id in ids}
            return compare({run_id: run.ask(lambda found: found) for run_id, run in shown.items()})

        return await json_answer(request, answer)

    app.router.add_get("/api/compare", handler)
