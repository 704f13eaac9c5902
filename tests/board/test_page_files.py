from __future__ import annotations

import gzip
import re
from urllib.parse import urljoin

import pytest
from aiohttp import ClientSession
from yarl import URL

from raymon.board.web.page_files import STATIC


@pytest.mark.parametrize(
    "path", ["/", "/run/0123456789ab", "/run/0123456789ab/ranks", "/compare", "/compare/a"]
)
def test_every_view_is_the_same_page_with_a_base_that_leads_to_the_root(made, path):
    answer = made.board.ask(path)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    base = re.search(rb'<base href="([^"]*)">', answer.body)[1].decode()
    for prefix in ("http://machine", "http://hub/user/me/proxy/6007"):
        assert urljoin(f"{prefix}{path}", base) == f"{prefix}/"


def test_nothing_on_the_page_is_from_elsewhere(made):
    body = made.board.ask("/").body.decode()
    for address in re.findall(r'(?:src|href)="([^"]*)"', body):
        assert "//" not in address
        assert not address.startswith("/")


def test_a_file_that_has_not_changed_is_not_sent_again(made):
    first = made.board.ask("/static/app.js")
    assert first.body == (STATIC / "app.js").read_bytes()
    again = made.board.ask("/static/app.js", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert "no-cache" in first.headers["Cache-Control"]


def test_plotly_is_kept_for_ever_under_its_version_alone(made):
    page = made.board.ask("/").body
    version = re.search(rb'<meta name="plotly" content="([^"]+)">', page)[1].decode()
    versioned, plain = made.board.ask(
        f"/static/plotly.min.js?v={version}", "/static/plotly.min.js?v=0"
    )
    assert "immutable" in versioned.headers["Cache-Control"]
    assert "no-cache" in plain.headers["Cache-Control"]
    assert versioned.body == plain.body
    assert b"plotly.js" in plain.body[:300]


def test_a_file_is_compressed_for_who_takes_it(made):
    async def work(client):
        headers = {"Accept-Encoding": "gzip"}
        async with ClientSession(auto_decompress=False, headers=headers) as session:
            answer = await session.get(client.make_url("/static/style.css"))
            return answer.headers.get("Content-Encoding"), await answer.read()

    encoding, body = made.board.run(work)
    assert encoding == "gzip"
    assert gzip.decompress(body) == (STATIC / "style.css").read_bytes()


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd",
     "/static/%2fetc%2fpasswd", "/static/views/../../serve.py", "/static/.hidden", "/static/",
     "/static/views", "/serve.py", "/api", "/api/runs/../../etc/passwd"],
)  # fmt: skip
def test_nothing_but_the_files_of_the_page_is_read(made, path):
    async def work(client):
        # As it is, where a browser would take the dots out.
        address = client.make_url("/")
        answer = await client.session.get(
            URL(f"{address.scheme}://{address.host}:{address.port}{path}", encoded=True)
        )
        return answer.status

    assert made.board.run(work) == 404
