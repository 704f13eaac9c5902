"""Answers of the server: JSON, and errors in one line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import TypeVar

import pyarrow as pa
from aiohttp import web

from raymon.board.web.gallery import NoSuchRunError
from raymon.board.web.query import Query, QueryError
from raymon.board.web.shown_run import GoneError
from raymon.errors import RaymonError, first_line
from raymon.storage import to_json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

Answer = TypeVar("Answer")

WORKERS: web.AppKey[Executor] = web.AppKey("workers", Executor)

_logger = logging.getLogger(__name__)


async def in_worker(request: web.Request, work: Callable[[], Answer]) -> Answer:
    """Returns what a function returns in a worker thread, where it may read files."""
    return await asyncio.get_running_loop().run_in_executor(request.app[WORKERS], work)


def query_of(request: web.Request) -> Query:
    """Returns the parameters of a request; of one that is given twice, the last."""
    return Query(dict(request.query.items()))


async def json_answer(request: web.Request, work: Callable[[], object]) -> web.Response:
    """Returns the JSON of what a function returns in a worker thread."""
    text = await in_worker(request, lambda: to_json(work()).encode())
    answer = web.Response(body=text, content_type="application/json", charset="utf-8")
    if len(text) > 50_000 and not _is_local(request):
        answer.enable_compression()
    return answer


def error_answer(status: int, text: str) -> web.Response:
    """Returns the answer that says what is wrong, in one line."""
    body = to_json({"error": text}).encode("utf-8", "replace")
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8")


@web.middleware
async def with_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers errors in one line: a failure of one run is an answer for that run alone."""
    try:
        return await handler(request)
    except QueryError as error:
        return error_answer(400, str(error))
    except (NoSuchRunError, GoneError) as error:
        return error_answer(404, str(error))
    except (RaymonError, OSError, pa.ArrowException) as error:
        return error_answer(500, f"it cannot be read: {first_line(error)}")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return error_answer(error.status, error.reason)
    except Exception as error:
        _logger.exception("%s could not be answered", request.path)
        return error_answer(500, f"raymon failed: {type(error).__name__}: {first_line(error)}")


def _is_local(request: web.Request) -> bool:
    return request.remote in ("127.0.0.1", "::1")
