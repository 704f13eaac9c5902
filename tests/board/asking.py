"""Asks a board for what its page would ask it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from raymon.board.web.access import Access
from raymon.board.web.app import make_app

TOKEN = "a-token"


class Answer:
    """An answer of a board, with its content read."""

    def __init__(self, answer: ClientResponse, body: bytes) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.cookies = answer.cookies
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_constant=_no_constant)


class Board:
    """A board over some directories, which is there for each question alone."""

    def __init__(self, *roots: object, is_open: bool = False) -> None:
        self._roots = [str(root) for root in roots]
        self._is_open = is_open

    def ask(self, *paths: str, method: str = "GET", **headers: str) -> Any:
        """Returns the answers to requests one after the other; of a single one, its answer."""

        async def work(client: TestClient[Any, Any]) -> list[Answer]:
            answers = []
            for path in paths:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                answer = await client.request(method, path, headers=named, allow_redirects=False)
                answers.append(Answer(answer, await answer.read()))
            return answers

        answers = self.run(work)
        return answers[0] if len(answers) == 1 else answers

    def get(self, path: str) -> Any:
        """Returns the JSON of an answer that has to be good."""
        answer = self.ask(path)
        assert answer.status == 200, answer.body
        return answer.json

    def run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        async def all_of_it() -> Any:
            access = Access(TOKEN, is_open=self._is_open, port=1)
            server = TestServer(make_app(self._roots, access))
            async with TestClient(server) as client:
                return await work(client)

        return asyncio.run(all_of_it())


def _no_constant(name: str) -> Mapping[str, Any]:
    raise AssertionError(f"{name} is not JSON")
