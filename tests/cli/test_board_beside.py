"""The page beside a run, served by a process of its own."""

from __future__ import annotations

import logging
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from raymon.cli.board_beside import board_beside
from tests.board.terminal.made_runs import make_run, window
from tests.installed import installed_python

PARENT = """
import sys, time
from raymon.cli.board_beside import board_beside
with board_beside(sys.argv[1], int(sys.argv[2])):
    time.sleep(600)
"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answer(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/runs", timeout=5) as response:
            return response.read().decode()
    except OSError:
        return ""


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_page_ends_with_the_run_however_that_ends(tmp_path: Path, port: int) -> None:
    run = make_run(tmp_path / "run", [window(10)])
    parent = subprocess.Popen([installed_python(), "-c", PARENT, str(run), str(port)])
    try:
        wait_for(lambda: str(run) in answer(port))
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: not answer(port))


def test_a_page_that_cannot_be_served_is_a_line_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with caplog.at_level(logging.INFO, "raymon"), board_beside(str(tmp_path), number):
            wait_for(lambda: bool(caplog.records))
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert f"port {number} is in use" in line.getMessage()


def test_without_a_port_nothing_is_started() -> None:
    with board_beside("/nowhere", None):
        pass
