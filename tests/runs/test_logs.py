"""The end of a log, whatever is in it, and of nothing but a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from raymon import Run, RunError
from raymon.runs import LogLine
from tests.runs.written import write_summary


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_summary(tmp_path)
    (tmp_path / "logs").mkdir()
    return Run(tmp_path)


def write(run: Run, text: str, name: str = "driver.log") -> None:
    with (Path(str(run.path)) / "logs" / name).open("a", newline="") as file:
        file.write(text)


def test_lines_are_read_in_the_forms_that_they_are_written_in(run: Run) -> None:
    write(
        run,
        '{"time": "2026-01-02T03:04:05.250Z", "level": "INFO", "message": "a\\nb"}\n'
        '{"level": "ERROR", "message": "failed", "exc_info": "Traceback"}\n'
        "2026-01-02T03:04:05+00:00 WARNING slow\n"
        "12:00:01 INFO begun\n"
        "plain <b>text</b>\n"
        '{"half": \n'
        '{"no": "message"}\n',
    )
    assert run.log_tail("driver.log", 100) == [
        LogLine(1767323045.25, "INFO", "a\nb"),
        LogLine(None, "ERROR", "failed\nTraceback"),
        LogLine(1767323045.0, "WARNING", "slow"),
        LogLine(None, "INFO", "begun"),
        LogLine(None, None, "plain <b>text</b>"),
        LogLine(None, None, '{"half": '),
        LogLine(None, None, '{"no": "message"}'),
    ]


@pytest.mark.parametrize("length", [3, 70_000])
@pytest.mark.parametrize("end", ["\n", ""])
@pytest.mark.parametrize("lines", [0, 1, 2, 5, 7, 1000])
def test_the_last_lines_are_the_last_lines(run: Run, lines: int, end: str, length: int) -> None:
    texts = [str(number).ljust(length, "x") for number in range(6)]
    write(run, "\n".join(texts) + end)
    found = [line.text for line in run.log_tail("driver.log", lines)]
    assert found == [text[:16_384] for text in texts[max(0, 6 - lines) :]]


def test_logs_are_listed_in_the_order_of_their_processes(run: Run) -> None:
    for name in (
        "rank-10.log",
        "rank-2.log",
        "driver.log.1",
        "driver.log",
        "reporter.log",
        "x.txt",
    ):
        write(run, "", name)
    assert run.log_files() == [
        "driver.log",
        "driver.log.1",
        "reporter.log",
        "rank-2.log",
        "rank-10.log",
    ]


@pytest.mark.parametrize(
    "name", ["../run.json", "/etc/passwd", "logs/driver.log", "", ".", "link.log", "no.log", "a\0b"]
)
def test_only_logs_are_read(run: Run, name: str) -> None:
    write(run, "")
    (Path(str(run.path)) / "logs" / "link.log").symlink_to("/etc/passwd")
    with pytest.raises(RunError, match="has no log file"):
        run.log_tail(name, 10)


def test_bytes_that_are_no_text_are_shown_as_such(run: Run) -> None:
    (Path(str(run.path)) / "logs" / "driver.log").write_bytes(b"\xff\x1b[31mred\n\xf0\x9f")
    assert [line.text for line in run.log_tail("driver.log", 9)] == ["\ufffd\x1b[31mred", "\ufffd"]
