"""Who may read: this machine alone, or whoever has the token.

The server listens on the loopback unless it is told otherwise. A page of the Web that makes its own
name resolve to 127.0.0.1 ("DNS rebinding") could read from it all the same through the browser of
whoever visits it; but then the `Host` of its requests is its own name, which is refused. Through a
proxy, whose name is another one, and from other machines, the token is needed: in the address once,
and in a cookie from then on.
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlencode

from aiohttp import web

from raymon.board.web.answering import Handler, error_answer

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; base-uri 'self'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer: nothing is loaded from elsewhere, and no text of a run is ever run."""

_LOCAL_NAMES = frozenset({"localhost", "ip6-localhost"})

_COOKIE = "raymon-board"


def is_loopback(host: str) -> bool:
    """Returns whether a name or an address of this machine is reached from it alone."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name in _LOCAL_NAMES or name.endswith(".localhost")


class Access:
    """Decides who may read.

    Args:
        token: What others than this machine have to know.
        is_open: Whether the server listens beyond the loopback: then everybody needs the token.
        port: Port of the server, by which the cookies of two servers are told apart.
    """

    def __init__(self, token: str, *, is_open: bool, port: int) -> None:
        self._token = token
        self._is_open = is_open
        self._cookie = f"{_COOKIE}-{port}"

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses what may not read, and everything but reading."""
        if request.method not in ("GET", "HEAD"):
            answer = error_answer(405, "nothing can be changed here: GET is all there is")
            answer.headers["Allow"] = "GET, HEAD"
            return answer
        given = request.query.get("token")
        if given is not None and self._is_token(given):
            return self._welcome(request)
        if not self._may_read(request):
            return error_answer(
                403, "open the link with ?token=... that `raymon board` has printed"
            )
        return await handler(request)

    def _may_read(self, request: web.Request) -> bool:
        if self._is_token(request.cookies.get(self._cookie, "")):
            return True
        return not self._is_open and is_loopback(_name(request.headers.get("Host", "")))

    def _welcome(self, request: web.Request) -> web.StreamResponse:
        """Keeps the token in a cookie, and out of the address, of links and of histories."""
        rest = urlencode([(key, value) for key, value in request.query.items() if key != "token"])
        last = request.rel_url.raw_path.rpartition("/")[2]
        answer = web.Response(status=302)
        # Relative, since a proxy may have the page under another path.
        answer.headers["Location"] = f"./{last}" + (f"?{rest}" if rest else "")
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict", path="/")
        return answer

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())


def _name(host: str) -> str:
    """Returns the name of a `Host`, without the port."""
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[")
    return host.partition(":")[0]


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Adds the headers that every answer has; those of a stream are added where it begins."""
    answer = await handler(request)
    if not answer.prepared:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        answer.headers.setdefault("Cache-Control", "no-store")
    return answer
