"""`raymon watch` on a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.terminal.made_runs import HOSTILE, make_run, window
from tests.installed import installed_python

TAKES, GIVES_BACK = b"\x1b[?1049h", b"\x1b[?1049l"
HIDES, SHOWS = b"\x1b[?25l", b"\x1b[?25h"
WAIT_S = 60.0


class Terminal:
    """A pseudo-terminal with `raymon watch` on it."""

    def __init__(self, *words: object, columns: int = 80, rows: int = 24) -> None:
        self._own, self.other = pty.openpty()
        self.size(columns, rows)
        self.settings = termios.tcgetattr(self.other)
        command = [installed_python(), "-m", "raymon.cli", "watch", *map(str, words)]
        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        streams = {"stdin": self.other, "stdout": self.other, "stderr": self.other}
        self.process = subprocess.Popen(command, env=environment, start_new_session=True, **streams)
        self.shown = b""

    def size(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.other, termios.TIOCSWINSZ, size)

    def types(self, keys: bytes) -> None:
        os.write(self._own, keys)

    def until(self, wanted: bytes) -> bytes:
        """Returns what is shown until a text is, and from then on what comes after it."""
        deadline = time.monotonic() + WAIT_S
        while wanted not in self.shown:
            ready, _, _ = select.select([self._own], [], [], deadline - time.monotonic())
            assert ready, f"{wanted!r} is not shown: {self.shown[-2000:]!r}"
            self.shown += os.read(self._own, 65_536)
        before, _, self.shown = self.shown.partition(wanted)
        return before

    def ends(self) -> int:
        self.until(GIVES_BACK)
        code = self.process.wait(WAIT_S)
        assert termios.tcgetattr(self.other) == self.settings
        return code

    def rest(self) -> bytes:
        while select.select([self._own], [], [], 0)[0]:
            self.shown += os.read(self._own, 65_536)
        return self.shown

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._own)
        os.close(self.other)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    name = HOSTILE.replace("/", "")
    windows = [window(step, losses={"total_loss": 1.0, HOSTILE: 2.0}) for step in (10, 20)]
    return make_run(tmp_path / name, windows)


@pytest.fixture
def watched(run: Path) -> Iterator[Terminal]:
    terminal = Terminal(run, "--interval", 0.1)
    yield terminal
    terminal.close()


def test_keys_and_size_change_what_is_shown_and_q_gives_the_terminal_back(
    watched: Terminal, run: Path
) -> None:
    watched.until(TAKES)
    watched.until(HIDES)
    first = watched.until(b"q end")
    assert b"total_loss" in first
    # Nothing that a run is called reaches the terminal as an order to it.
    assert b"\x1b]0;" not in first
    assert b"\x07" not in first
    watched.types(b"5")
    assert b"total_loss \x1b" not in watched.until(b"checkpoints 0")
    watched.types(b"?")
    watched.until(b"logarithmic scale")
    watched.until(b"q end")
    watched.types(b"1")
    watched.until(b"q end")
    watched.size(120, 40)
    os.kill(watched.process.pid, signal.SIGWINCH)
    watched.until(b"\x1b[40;1H")
    with (run / "monitor" / "windows.jsonl").open("a") as file:
        file.write('{"global_step": 12345, "first_step": 20, "samples_per_second": 1}\n')
    watched.until(b"12,345")
    watched.types(b"q")
    assert watched.ends() == 0
    assert watched.rest().replace(b"\r\n", b"") == b""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_give_the_terminal_back(watched: Terminal, number: int, code: int) -> None:
    watched.until(b"q end")
    os.kill(watched.process.pid, number)
    watched.until(SHOWS)
    assert watched.ends() == code


def test_a_run_that_is_removed_meanwhile_is_said_in_one_line(watched: Terminal, run: Path) -> None:
    watched.until(b"q end")
    shutil.rmtree(run)
    watched.until(SHOWS)
    assert watched.ends() == 2
    said = watched.rest().decode().strip().split("\r\n")
    assert len(said) == 1
    assert "was removed" in said[0]
