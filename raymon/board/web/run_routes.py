"""The addresses of single runs, and of the table of all runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from raymon.board.web.answering import in_worker, json_answer, query_of
from raymon.board.web.answers.contents import checkpoints, config, tables
from raymon.board.web.answers.detail import detail
from raymon.board.web.answers.evaluations import evaluation, evaluations
from raymon.board.web.answers.logs import log, logs
from raymon.board.web.answers.marks import alerts, marks
from raymon.board.web.answers.rank_table import rank_table
from raymon.board.web.answers.ranks import anatomy, ranks
from raymon.board.web.answers.run_list import run_list
from raymon.board.web.answers.series import series
from raymon.board.web.answers.series_csv import series_csv
from raymon.board.web.configs import Configs
from raymon.board.web.gallery import Gallery
from raymon.board.web.query import Query
from raymon.board.web.summaries import Summaries
from raymon.errors import RunError
from raymon.runs import Run

OfRun = Callable[[Run, Query], Any]

OF_RUNS: Mapping[str, OfRun] = {
    "series": series,
    "marks": marks,
    "alerts": alerts,
    "ranks": ranks,
    "anatomy": anatomy,
    "evaluations": evaluations,
    "evaluation": evaluation,
    "checkpoints": checkpoints,
    "tables": tables,
    "config": config,
    "logs": logs,
    "log": log,
}
"""What can be asked of a run, by the end of the address."""


def add_run_routes(
    app: web.Application, gallery: Gallery, summaries: Summaries, configs: Configs
) -> None:
    """Adds the addresses.

    Args:
        app: The server.
        gallery: The runs.
        summaries: Their entries in the table.
        configs: Their configs.
    """
    one_at_a_time = asyncio.Semaphore()

    async def table(request: web.Request) -> web.Response:
        query = query_of(request)

        def answer() -> dict[str, Any]:
            found = gallery.found()
            entries, count = run_list(
                found.paths, summaries.entry, summaries.changed, query, configs.differing
            )
            differing = configs.differing({each["id"]: each["path"] for each in entries})
            return {
                "runs": [{**each, "config": differing.get(each["id"], {})} for each in entries],
                "found": count,
                "roots": gallery.roots,
                "notes": list(found.notes),
            }

        return await json_answer(request, answer)

    async def one(request: web.Request) -> web.Response:
        run_id = request.match_info["id"]

        def answer() -> dict[str, Any]:
            shown = gallery.run(run_id)
            found = shown.ask(lambda run: detail(run, shown.verdict()))
            return {"id": run_id, **found, "version": shown.version}

        return await json_answer(request, answer)

    async def rank_rows(request: web.Request) -> web.Response:
        run_id = request.match_info["id"]

        def answer() -> list[dict[str, Any]]:
            shown = gallery.run(run_id)
            try:
                verdict = shown.verdict_now()
            except RunError:
                # One of its files cannot be read, which is said elsewhere: others have the ranks.
                verdict = None
            return shown.ask(lambda run: rank_table(run, verdict))

        return await json_answer(request, answer)

    async def numbers(request: web.Request) -> web.Response:
        run_id, query = request.match_info["id"], query_of(request)
        shown = await in_worker(request, lambda: gallery.run(run_id))
        # Of a large run it takes seconds: other requests are answered meanwhile.
        async with one_at_a_time:
            text = await in_worker(
                request, lambda: shown.ask_whole(lambda run: series_csv(run, query))
            )
        answer = web.Response(text=text, content_type="text/csv", charset="utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="run-{run_id}.csv"'
        return answer

    def of_run(question: OfRun) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.Response:
            run_id, query = request.match_info["id"], query_of(request)
            return await json_answer(
                request, lambda: gallery.run(run_id).ask(lambda run: question(run, query))
            )

        return handler

    app.router.add_get("/api/runs", table)
    one_run = "/api/runs/{id:[0-9a-f]{12}}"
    app.router.add_get(one_run, one)
    app.router.add_get(f"{one_run}/rank-table", rank_rows)
    app.router.add_get(f"{one_run}/series.csv", numbers)
    for name, question in OF_RUNS.items():
        app.router.add_get(f"{one_run}/{name}", of_run(question))
