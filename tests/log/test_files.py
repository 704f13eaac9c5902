"""Log files: rotated by size and age, bounded, and never in the way."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.log import LogFiles, ProcessLog, log_to_files, set_up_logging
from raymon.log.background import BackgroundHandler
from raymon.log.rotated_file import RotatedFile

HOUR = 3600.0
_log = logging.getLogger("raymon")


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("raymon", logging.INFO, "", 0, text, (), None)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def all_lines(directory: Path) -> list[str]:
    """Returns the lines of the files of a process, oldest first."""
    number = {path: int(path.suffix[1:].replace("log", "0")) for path in directory.iterdir()}
    return [line for file in sorted(number, key=number.get, reverse=True) for line in lines(file)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(1, 4))
def test_no_file_is_larger_than_its_limit_and_the_newest_lines_are_there(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], keep: int
) -> None:
    directory = tmp_path_factory.mktemp("logs")
    handler = RotatedFile(directory / "driver.log", 100, HOUR, keep, lambda: 0.5)
    handler._period = 0
    texts = [f"{index:04d}" + "x" * size for index, size in enumerate(sizes)]
    for text in texts:
        handler.handle(record(text))
    handler.close()
    files = list(directory.iterdir())
    assert len(files) <= keep + 1
    assert all(file.stat().st_size <= 100 for file in files)
    there = all_lines(directory)
    assert there == texts[len(texts) - len(there) :]
    assert len(there) == len(texts) or len(files) == keep + 1


def test_a_file_has_the_lines_of_one_period(tmp_path: Path) -> None:
    path, now = tmp_path / "logs" / "driver.log", [10 * HOUR]
    handler = RotatedFile(path, 10_000, HOUR, 2, lambda: now[0])
    for text in ("a", "b"):
        handler.handle(record(text))
        now[0] += HOUR / 2
    handler.handle(record("c"))
    handler.close()
    assert lines(path) == ["c"]
    assert lines(path.with_name("driver.log.1")) == ["a", "b"]


def test_a_process_that_is_started_again_goes_on_in_the_file_of_the_period(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    path.write_text("before\n")
    os.utime(path, (9.5 * HOUR, 9.5 * HOUR))
    handler = RotatedFile(path, 10_000, HOUR, 2, lambda: 9.9 * HOUR)
    handler.handle(record("after"))
    handler.close()
    assert lines(path) == ["before", "after"]
    os.utime(path, (9.5 * HOUR, 9.5 * HOUR))
    handler = RotatedFile(path, 10_000, HOUR, 2, lambda: 10.1 * HOUR)
    handler.handle(record("later"))
    handler.close()
    assert lines(path) == ["later"]


def test_half_a_line_of_a_process_that_was_killed_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    path.write_text("whole\nhalf a li")
    handler = RotatedFile(path, 10_000, 1e12, 2)
    handler.handle(record("next"))
    handler.close()
    assert lines(path) == ["whole", "half a li", "next"]


def test_a_full_disk_reaches_nobody_and_lines_go_on_after_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = RotatedFile(Path("/dev/full"), 1 << 30, 1e12, 1)
    # A device cannot be read from its end.
    inner._ends_a_line = lambda: True
    handler = BackgroundHandler("the file", inner)
    for text in ("lost", "lost too"):
        handler.handle(record(text))
    handler.finish(10.0)
    assert handler.failures == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "log lines do not reach the file: OSError: [Errno 28] No space left on device" in said
    inner.baseFilename, inner._path = str(tmp_path / "b.log"), tmp_path / "b.log"
    inner.handle(record("on"))
    inner.close()
    assert lines(tmp_path / "b.log") == ["on"]


def test_a_handler_that_hangs_makes_nobody_wait(capsys: pytest.CaptureFixture[str]) -> None:
    go_on = threading.Event()

    class Hanging(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            go_on.wait()

    handler = BackgroundHandler("a host", Hanging(), queued=3)
    for _ in range(10):
        handler.handle(record("x"))
    assert handler.failures >= 6
    handler.finish(0.01)
    go_on.set()
    assert "log lines do not reach a host: too many lines wait" in capsys.readouterr().err


def test_each_process_has_a_file_with_its_fields(tmp_path: Path) -> None:
    set_up_logging("WARNING", stream=None)
    with ProcessLog("rank-3", LogFiles(tmp_path / "logs", "runs/click")):
        _log.info("%s", "steps", extra={"step": 100, "losses": {"bce": 0.5}})
        log_to_files(logging.INFO, "for files", step=200)
        _log.debug("too little")
    first, second = (json.loads(line) for line in lines(tmp_path / "logs" / "rank-3.log"))
    assert (first["step"], first["losses"], first["message"]) == (100, {"bce": 0.5}, "steps")
    assert (first["run"], first["process"], first["pid"]) == ("runs/click", "rank-3", os.getpid())
    assert (second["step"], second["message"]) == (200, "for files")


def test_a_file_has_more_than_the_terminal_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("WARNING")
    with ProcessLog("driver", LogFiles(tmp_path, "run", log_format="text")):
        _log.info("quiet")
    _log.info("after")
    assert capsys.readouterr().err == ""
    assert [line.split(" ", 2)[2] for line in lines(tmp_path / "driver.log")] == ["INFO quiet"]


def test_a_traceback_is_in_the_file(tmp_path: Path) -> None:
    with ProcessLog("rank-0", LogFiles(tmp_path, "run")):
        try:
            raise ValueError("no such row")
        except ValueError as error:
            log_to_files(logging.ERROR, "it broke", error)
    (line,) = (json.loads(line) for line in lines(tmp_path / "rank-0.log"))
    assert "ValueError: no such row" in line["exc_info"]


def test_a_field_may_have_any_name(tmp_path: Path) -> None:
    with ProcessLog("rank-0", LogFiles(tmp_path, "run")):
        log_to_files(logging.INFO, "it goes on", name="mine", args=1, step=3)
    (line,) = (json.loads(line) for line in lines(tmp_path / "rank-0.log"))
    assert (line["message"], line["step"], line["logger"]) == ("it goes on", 3, "raymon")


def test_what_logs_nothing_makes_no_file(tmp_path: Path) -> None:
    with ProcessLog("driver", LogFiles(tmp_path / "logs", "run")):
        pass
    assert list(tmp_path.iterdir()) == []
