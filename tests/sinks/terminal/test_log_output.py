"""Lines and bars if standard error is not a modern terminal."""

from __future__ import annotations

import fcntl
import io
import logging
import os
import pty
import re
import struct
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import raymon
from raymon.sinks.terminal.log_output import open_output
from tests.sinks.sinks import wait_for

LOSS = "損失"
"""A name that ASCII lacks."""


@pytest.fixture(autouse=True)
def _a_program_that_has_set_up_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    logger = logging.getLogger("raymon")
    before = logger.handlers, logger.level, logger.propagate
    logger.setLevel(logging.NOTSET)
    for variable in ("RAYMON_LOG_LEVEL", "RAYMON_LOG_FORMAT", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    yield
    logger.handlers, logger.level, logger.propagate = before


def forget_handlers() -> None:
    """Removes pytest's handlers, which no program would have."""
    logger = logging.getLogger("raymon")
    logger.handlers, logger.propagate = [], False


@pytest.fixture(autouse=True)
def _no_thread_dies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: died.append(args.exc_value))
    yield
    assert died == []


class Gone(io.StringIO):
    """A pipe whose reader has gone, and that has no attributes."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    def isatty(self) -> bool:
        raise ValueError("I/O operation on closed file")


class Bare:
    """A custom stream that takes text and can do nothing else."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


def watched(directory: Path, *, gone: threading.Event | None = None) -> list[str]:
    """Runs a loop of ten steps, which must not notice anything; returns the lines of its file."""
    forget_handlers()
    with raymon.Monitor(total_steps=10, log_step_count_steps=5, model_dir=directory) as monitor:
        for step in range(10):
            monitor.step({LOSS: 0.5}, samples=8)
            if step == 4 and gone is not None:
                wait_for(monitor.snapshot)
                gone.set()
    assert monitor.failures == 0
    return (directory / "monitor" / "windows.jsonl").read_text().splitlines()


@pytest.mark.parametrize("stream", [None, closed(), Gone(), Bare()], ids=lambda s: type(s).__name__)
def test_training_goes_on_whatever_takes_its_lines(
    stream: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert len(watched(tmp_path)) == 2
    if isinstance(stream, Bare):
        assert "INFO Training Epoch 0: 10it [" in stream.text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8", "utf-16"])
def test_what_an_encoding_lacks_is_escaped(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding=encoding))
    assert len(watched(tmp_path)) == 2
    said = raw.getvalue().decode(encoding)
    name = LOSS if encoding.startswith("utf") else r"\u640d\u5931"
    assert f"{name}:0.50000" in said


class Terminal:
    """A pseudo terminal as standard error, and what was drawn on it."""

    def __init__(self, columns: int, encoding: str = "utf-8") -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.stream = os.fdopen(slave, "w", encoding=encoding)
        self._drawn = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while data := os.read(self.master, 1 << 16):
                self._drawn += data
        except OSError:
            pass

    def hang_up(self) -> None:
        os.close(self.master)

    def text(self) -> str:
        self.stream.close()
        self._reader.join(10)
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._drawn.decode(self.stream.encoding))


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_a_bar_fits_its_terminal(
    columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal(columns)
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    assert len(watched(tmp_path)) == 2
    text = terminal.text()
    assert "10/10" in text
    assert all(len(line) <= columns for line in re.split(r"[\r\n]+", text))


def test_a_terminal_without_the_characters_of_a_bar_has_one_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(120, "ascii")
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    assert len(watched(tmp_path)) == 2
    text = terminal.text()
    assert "10/10" in text
    assert "---" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_cannot_draw_gets_lines(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", kind)
    terminal = Terminal(80)
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    assert len(watched(tmp_path)) == 2
    assert "INFO Training Epoch 0: 10it" in terminal.text()


def test_a_terminal_that_is_closed_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, gone = Terminal(80), threading.Event()
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    hang_up = threading.Thread(target=lambda: (gone.wait(), terminal.hang_up()))
    hang_up.start()
    assert len(watched(tmp_path, gone=gone)) == 2
    hang_up.join()


def test_no_colours_where_none_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(80)
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    watched(tmp_path)
    terminal.text()
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9](;[0-9]+)*m", terminal._drawn)


def test_a_program_with_logging_of_its_own_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    logger, theirs = logging.getLogger("raymon"), logging.NullHandler()
    forget_handlers()
    logger.propagate = True
    monkeypatch.setattr(logging.root, "handlers", [theirs])
    assert open_output(level="INFO") is None
    assert (logger.handlers, logger.propagate, logger.level) == ([], True, logging.INFO)
    # A handler and a level for raymon alone.
    logger.handlers, logger.propagate = [theirs], False
    logger.setLevel(logging.ERROR)
    assert open_output(level="INFO") is None
    assert (logger.handlers, logger.propagate) == ([theirs], False)
    assert logger.level == logging.ERROR


def test_what_raymon_has_set_up_itself_is_set_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_handlers()
    streams = [io.StringIO(), io.StringIO()]
    for stream in streams:
        monkeypatch.setattr(sys, "stderr", stream)
        open_output(level="INFO")
        logging.getLogger("raymon").info("here")
    assert [stream.getvalue().count("here") for stream in streams] == [1, 1]
