from __future__ import annotations

import pytest

from raymon.board.web.access import HEADERS, is_loopback
from tests.board.asking import TOKEN, Board


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:6007", "localhost:80", "[::1]:6007", "127.8.9.1", "LOCALHOST"]
)
def test_names_of_this_machine_may_read(made, host):
    assert made.board.ask("/api/runs", Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:6007", "localhost.evil.example", "0.0.0.0",
     "evil.example:6007", "", "[::2]", "[", "1"],
)  # fmt: skip
def test_another_name_that_leads_here_may_not_read(made, host):
    answers = made.board.ask("/api/runs", "/", "/static/app.js", f"/run/{made.id}", Host=host)
    assert {answer.status for answer in answers} == {403}
    assert not any(made.path.name.encode() in answer.body for answer in answers)


def test_the_token_opens_the_page_under_another_name_by_a_cookie(made):
    link = f"/run/{made.id}?x=time&token={TOKEN}"
    welcome = made.board.ask(link, Host="hub.example")
    assert welcome.status == 302
    assert welcome.headers["Location"] == f"./{made.id}?x=time"
    cookie = welcome.cookies["raymon-board-1"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    named = f"raymon-board-1={cookie.value}"
    assert made.board.ask("/api/runs", Host="hub.example", Cookie=named).status == 200
    wrong = "raymon-board-1=another"
    assert made.board.ask("/api/runs", Host="hub.example", Cookie=wrong).status == 403


def test_beyond_this_machine_nobody_reads_without_the_token(made):
    board = Board(made.path.parent, is_open=True)
    assert board.ask("/api/runs", Host="localhost").status == 403
    assert board.ask("/api/runs?token=wrong", Host="localhost").status == 403
    assert board.ask(f"/?token={TOKEN}", Host="machine:6007").status == 302
    named = f"raymon-board-1={TOKEN}"
    assert board.ask("/api/runs", Host="machine:6007", Cookie=named).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(made, method):
    answer = made.board.ask("/api/runs", method=method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_every_answer_forbids_what_is_from_elsewhere(made):
    paths = ["/", "/api/runs", f"/api/runs/{made.id}", "/api/nothing", "/static/app.js", "/nothing"]
    for answer in made.board.ask(*paths):
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


def test_numbers_are_never_kept_by_a_browser(made):
    assert made.board.ask("/api/runs").headers["Cache-Control"] == "no-store"


def test_only_names_and_addresses_of_the_machine_itself_are_loopback():
    assert all(map(is_loopback, ["127.0.0.1", "::1", "[::1]", "localhost", "a.localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "localhosts", "example.org"]))
