"""The addresses of the page and of its files."""

from __future__ import annotations

from aiohttp import web

from raymon.board.web.answering import in_worker
from raymon.board.web.page_files import PageFile, PageFiles

_YEAR = "private, max-age=31536000, immutable"

_MOST_DEPTH = 16


def add_static_routes(app: web.Application, files: PageFiles) -> None:
    """Adds the page, and the files that it loads.

    Args:
        app: The server.
        files: The files.
    """

    async def page(request: web.Request) -> web.StreamResponse:
        depth = min(request.path.count("/") - 1, _MOST_DEPTH)
        found = await in_worker(request, lambda: files.index(depth))
        if found is None:
            return web.Response(text="the page is missing from this installation", status=500)
        return await _answer(request, found)

    async def static(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        found = await in_worker(request, lambda: files.get(name))
        if found is None:
            raise web.HTTPNotFound
        return await _answer(request, found)

    app.router.add_get("/static/{name:.+}", static)
    app.router.add_get("/", page)
    app.router.add_get("/run/{rest:.*}", page)
    app.router.add_get("/compare{rest:.*}", page)


async def _answer(request: web.Request, file: PageFile) -> web.Response:
    """Returns a file, or says that the browser's copy of it is still true."""
    answer = web.Response(content_type=file.content_type, charset="utf-8")
    tag = f'"{file.tag}"'
    answer.headers["ETag"] = tag
    # An address with the version of the content is true for ever, others are asked for again.
    is_exact = file.version is not None and request.query.get("v") == file.version
    answer.headers["Cache-Control"] = _YEAR if is_exact else "private, no-cache"
    answer.headers["Vary"] = "Accept-Encoding"
    if tag in request.headers.get("If-None-Match", ""):
        answer.set_status(304)
        return answer
    if "gzip" in request.headers.get("Accept-Encoding", "") and len(file.data) > 10_000:
        answer.headers["Content-Encoding"] = "gzip"
        answer.body = await in_worker(request, lambda: file.zipped)
    else:
        answer.body = file.data
    return answer
