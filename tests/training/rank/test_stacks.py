"""The stacks of another process: by py-spy, by the process itself, and when neither can."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from raymon.training.rank.stack_lines import telling_lines
from raymon.training.rank.stacks import FAULTHANDLER, IN_PROCESS, PY_SPY, own_stacks, take_stacks

PROGRAM = """
import sys
import time
from raymon.training.rank.stacks import prepare_stack_dumps


def predict_for_ever():
    print("ready", flush=True)
    while True:
        time.sleep(0.01)


prepare_stack_dumps()
predict_for_ever()
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A process that hangs in `predict_for_ever`."""
    program = tmp_path_factory.mktemp("stacks") / "hangs.py"
    program.write_text(PROGRAM)
    started = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    yield started
    started.kill()
    started.wait()
    started.stdout.close()


@pytest.fixture
def without_py_spy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment that has no py-spy."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))


def _stop(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def test_py_spy_takes_the_stacks_of_a_process_that_is_stopped(
    process: subprocess.Popen[str],
) -> None:
    _stop(process)
    try:
        taken = take_stacks(process.pid)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert taken.way == PY_SPY, taken.text
    assert "predict_for_ever" in taken.text


@pytest.mark.usefixtures("without_py_spy")
def test_without_py_spy_the_process_writes_its_stacks_each_time(
    process: subprocess.Popen[str],
) -> None:
    for _ in range(2):
        taken = take_stacks(process.pid)
        assert taken.way == FAULTHANDLER, taken.text
        assert taken.text.count("in predict_for_ever") == 1


@pytest.mark.usefixtures("without_py_spy")
def test_without_py_spy_there_are_none_of_a_process_that_is_stopped(
    process: subprocess.Popen[str],
) -> None:
    _stop(process)
    try:
        taken = take_stacks(process.pid)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert not taken.way
    assert "py-spy: it is not installed" in taken.text
    assert "faulthandler: the process is stopped" in taken.text


@pytest.mark.usefixtures("without_py_spy")
def test_a_process_that_has_not_prepared_gets_no_signal() -> None:
    other = subprocess.Popen(["/bin/sleep", "60"])
    try:
        taken = take_stacks(other.pid)
        assert "has not prepared" in taken.text
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_there_are_none_of_a_process_that_is_gone() -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    assert take_stacks(gone.pid).way == ""
    assert str(gone.pid) in take_stacks(gone.pid).text


def test_a_process_takes_its_own_stacks_from_another_thread() -> None:
    taken = []
    thread = threading.Thread(target=lambda: taken.append(own_stacks()))
    thread.start()
    thread.join()
    assert taken[0].way == IN_PROCESS
    name = "test_a_process_takes_its_own_stacks_from_another_thread"
    assert name in taken[0].text


RAYMON = str(Path(sys.modules["raymon"].__file__ or "").parent)

OF_PY_SPY = f"""Process 12: ray::RayTrainWorker
Python v3.11.7 (/usr/bin/python3.11)

Thread 12 (idle): "MainThread"
    main_loop (/venv/lib/python3.11/site-packages/ray/_private/worker.py:900)
    <module> (/venv/lib/python3.11/site-packages/ray/_private/workers/default_worker.py:297)
Thread 13 (idle): "TrainingThread"
    wait (/usr/lib/python3.11/threading.py:331)
    _wait_for_item (/home/me/models/slow.py:17)
    predict (/home/me/models/slow.py:12)
    forward (/venv/lib/python3.11/site-packages/torch/nn/modules/module.py:1775)
    run_worker ({RAYMON}/training/loop/worker.py:110)
Thread 14 (active): "reader"
    read (/home/me/models/data.py:3)
    _work ({RAYMON}/data/reading/prefetch.py:60)
    run (/usr/lib/python3.11/threading.py:982)
"""

OF_FAULTHANDLER = f"""Thread 0x00007f01 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 331 in wait
  File "{RAYMON}/data/reading/prefetch.py", line 44 in get
  File "{RAYMON}/training/loop/worker.py", line 110 in run_worker

Thread 0x00007f02 (most recent call first):
  File "/home/me/models/data.py", line 3 in read
  File "{RAYMON}/data/reading/prefetch.py", line 60 in _work
"""


def test_the_telling_lines_are_those_of_user_code_the_training_thread_first() -> None:
    assert telling_lines(OF_PY_SPY) == [
        "_wait_for_item (/home/me/models/slow.py:17)",
        "read (/home/me/models/data.py:3)",
    ]


def test_a_training_thread_outside_of_user_code_is_shown_with_what_it_waits_for() -> None:
    assert telling_lines(OF_FAULTHANDLER) == [
        f"wait (/usr/lib/python3.11/threading.py:331) in get "
        f"({RAYMON}/data/reading/prefetch.py:44)",
        "read (/home/me/models/data.py:3)",
    ]


def test_stacks_without_any_known_frame_have_no_telling_lines() -> None:
    assert telling_lines("no stacks of process 12: it is gone") == []
