from __future__ import annotations

import time

import pytest

from benchmarks.inputs.made_curves import MadeCurves
from raymon.board.web.shown_run import GoneError, ShownRun, id_of
from raymon.runs import explain_run
from raymon.runs.reading import sample
from raymon.sinks import WindowLines

CURVES = MadeCurves(windows=3000, ranks=1, begin=1.7e9)


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path):
    _write(tmp_path / "run", 0, 300)
    return tmp_path / "run"


def _write(path, first, end):
    lines = WindowLines(path)
    for snapshot in CURVES.snapshots(first, end):
        lines.write(snapshot)


def _windows(run):
    return len(run.series)


def test_what_was_read_is_as_good_as_new_for_a_moment_alone(path):
    clock = Clock()
    shown = ShownRun(str(path), clock)
    assert shown.ask(_windows) == 300
    version = shown.version
    _write(path, 300, 301)
    assert (shown.ask(_windows), shown.version) == (300, version)
    clock.now += 1
    assert shown.ask(_windows) == 301
    assert shown.version > version


def test_a_large_run_is_there_with_some_windows_and_whole_where_that_is_asked(path, monkeypatch):
    monkeypatch.setattr(sample, "_SMALL_BYTES", 100)
    _write(path, 300, 2500)
    shown = ShownRun(str(path))
    assert shown.ask(_windows) < 2500
    assert shown.ask_whole(_windows) == 2500


def test_the_verdict_is_not_waited_for_and_then_is_that_of_the_files(path):
    shown = ShownRun(str(path))
    shown.ask(_windows)
    version, found = shown.version, shown.verdict()
    deadline = time.monotonic() + 30
    while found is None and time.monotonic() < deadline:
        time.sleep(0.01)
        found = shown.verdict()
    assert found == explain_run(path)
    assert shown.version > version
    assert shown.verdict_now() == found


def test_a_run_whose_directory_is_gone_is_so_and_is_there_again_when_it_is(path):
    clock = Clock()
    shown = ShownRun(str(path), clock)
    away = path.rename(path.with_name("away"))
    clock.now += 1
    with pytest.raises(GoneError, match="gone"):
        shown.ask(_windows)
    away.rename(path)
    clock.now += 1
    assert shown.ask(_windows) == 300


def test_ids_are_twelve_digits_that_say_nothing_of_the_path():
    assert id_of("/runs/a") == id_of("/runs/a")
    assert id_of("/runs/a") != id_of("/runs/b")
    assert len(id_of("/runs/\udcff")) == 12
    assert int(id_of("/runs/a"), 16) >= 0
