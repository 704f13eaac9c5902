"""A loop of one's own has the files of a run: how it is, how it ended, and its attempts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import raymon
from raymon.monitor.run_files import how_it_ended
from raymon.run_dir import SignOfLife, read_lease
from raymon.run_dir import sign_of_life as module
from tests.installed import installed_python

LOOP = """
import json, os, sys
import raymon

monitor = raymon.Monitor(
    model_dir=sys.argv[1], log_step_count_steps=10, use_tensorboard=False, total_steps=50
)
for step in range(30):
    monitor.step({"bce": float(step)}, [0.5], [1])
exec(sys.argv[2])
"""


def steps(monitor: raymon.Monitor, count: int) -> None:
    for step in range(count):
        monitor.step({"bce": float(step)}, [0.5], [1])


def fail_within(monitor: raymon.Monitor) -> None:
    with monitor:
        steps(monitor, 20)
        raise ZeroDivisionError("no rows")


def fail_and_close(monitor: raymon.Monitor) -> None:
    try:
        steps(monitor, 20)
        raise KeyError("user")
    finally:
        monitor.close()


def read(directory: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((directory / "run.json").read_text())
    return known


def live(directory: Path) -> Path:
    return directory / "monitor" / "live.json"


def test_a_loop_that_goes_on_says_so_and_a_whole_one_is_done(tmp_path: Path) -> None:
    with raymon.Monitor(model_dir=tmp_path, log_step_count_steps=10, total_steps=30) as monitor:
        known = read(tmp_path)
        assert (known["status"], known["end"], known["total_steps"]) == ("running", None, 30)
        steps(monitor, 30)
        while not live(tmp_path).exists():
            pass
        assert json.loads(live(tmp_path).read_text())["total_steps"] == 30
    known = read(tmp_path)
    assert (known["status"], known["error"], known["steps"], known["workers"]) == (
        "done", None, 30, 1,
    )  # fmt: skip
    assert known["samples"] == 30
    # The mean of the last ten steps.
    assert known["train_metrics"] == {"bce": 24.5, "total_loss": 24.5}
    (attempt,) = known["attempts"]
    assert (attempt["attempt"], attempt["step"], attempt["end_step"]) == (1, 0, 30)
    assert known["start"] <= attempt["time"] <= known["end"]
    assert not live(tmp_path).exists()


def test_a_loop_that_raised_failed_and_goes_on_as_the_same_run(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="no rows"):
        fail_within(raymon.Monitor(model_dir=tmp_path))
    failed = read(tmp_path)
    assert (failed["status"], failed["error"]) == ("failed", "ZeroDivisionError: no rows")
    assert failed["attempts"][0]["failure"] == "ZeroDivisionError: no rows"
    with raymon.Monitor(model_dir=tmp_path, first_step=15) as monitor:
        steps(monitor, 10)
    known = read(tmp_path)
    assert (known["status"], known["start"]) == ("done", failed["start"])
    spans = [(a["step"], a["end_step"]) for a in known["attempts"]]
    assert spans == [(0, 20), (15, 25)]


def test_a_process_that_ends_without_closing_says_how(tmp_path: Path) -> None:
    raises, killed = tmp_path / "raises", tmp_path / "killed"
    wait = f"while not json.load(open({str(killed / 'run.json')!r}))['attempts']: pass"
    ways = {raises: "raise ValueError('a bad row')", killed: f"{wait}\nos.kill(os.getpid(), 9)"}
    processes = [
        subprocess.Popen([installed_python(), "-c", LOOP, where, last], stderr=subprocess.DEVNULL)
        for where, last in ways.items()
    ]
    assert [process.wait() for process in processes] == [1, -9]
    known = read(raises)
    assert (known["status"], known["error"]) == ("failed", "ValueError: a bad row")
    assert [a["end_step"] for a in known["attempts"]] == [30]
    lease = read_lease(killed)
    assert lease is not None
    assert (read(killed)["status"], lease.is_over) == ("running", True)
    with raymon.Monitor(model_dir=killed, first_step=0):
        pass
    first, second = read(killed)["attempts"]
    assert "killed" in first["failure"]
    assert (second["step"], second["end_step"]) == (0, 0)


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (None, ("done", None)),
        (KeyboardInterrupt(), ("interrupted", None)),
        (SystemExit(3), ("interrupted", None)),
        (MemoryError(), ("failed", "MemoryError")),
    ],
)
def test_what_ends_a_loop_is_how_it_ended(
    error: BaseException | None, ended: tuple[str, str | None]
) -> None:
    assert how_it_ended(error) == ended


def test_a_monitor_that_is_closed_while_an_exception_ends_a_loop_too_early(tmp_path: Path) -> None:
    monitor = raymon.Monitor(model_dir=tmp_path, total_steps=30)
    with pytest.raises(KeyError):
        fail_and_close(monitor)
    assert (read(tmp_path)["status"], read(tmp_path)["error"]) == ("failed", "KeyError: 'user'")


def test_a_sign_of_life_is_a_lease_that_is_gone_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BEAT_S", 0.01)
    sign = SignOfLife(tmp_path)
    while (lease := read_lease(tmp_path)) is None or lease.beat < 3:
        pass
    assert (lease.process, lease.is_over) == (os.getpid(), False)
    sign.end()
    sign.end()
    assert read_lease(tmp_path) is None
