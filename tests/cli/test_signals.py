"""Signals end a command, at any moment of it, with the exit code of the signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from raymon.cli.main import main
from raymon.training.checkpoint.manifest import list_checkpoints
from tests.installed import installed_python

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

MOMENTS = {
    "start-up": "raymon.training.train.plan_run",
    "training": "raymon.training.loop.train_step.TrainStep.update",
    "evaluation": "raymon.training.loop.loop.evaluate",
    "export": "raymon.training.export.export_run",
}


@pytest.fixture(autouse=True)
def _handlers_of_the_tests() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def train(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    settings = ["ray_config.num_workers=0", "train_config.num_steps=20"]
    settings += ["train_config.save_checkpoints_steps=10", "export_config.export_at_end=true"]
    words = [word for each in settings for word in ("--set", each)]
    monkeypatch.setattr("sys.argv", ["raymon", "train", str(config_file), *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_run_and_keeps_what_it_has(
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    moment: str,
) -> None:
    import importlib

    # As when a shell starts the process, without handlers of pytest or raymon.
    signal.signal(number, signal.default_int_handler)
    path, _, name = MOMENTS[moment].rpartition(".")
    try:
        owner: object = importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, of_class = path.rpartition(".")
        owner = getattr(importlib.import_module(module), of_class)
    original: Callable[..., object] = getattr(owner, name)
    calls = 0

    def interrupted(*arguments: object, **more: object) -> object:
        nonlocal calls
        calls += 1
        if moment != "training" or calls == 15:
            signal.raise_signal(number)
        return original(*arguments, **more)

    monkeypatch.setattr(owner, name, interrupted)
    assert train(config_file, monkeypatch) == SIGNALS[number]
    said = capsys.readouterr().err
    assert said.endswith("raymon: interrupted\n")
    assert "Traceback" not in said
    run = config_file.parent / "run"
    if moment == "start-up":
        assert not run.exists()
        return
    summary = json.loads((run / "run.json").read_text())
    assert (summary["status"], summary["error"], summary["export"]) == ("interrupted", None, None)
    steps = {"training": [10], "evaluation": [], "export": [10, 20]}[moment]
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == steps
    if moment == "training":
        assert "--resume goes on from step 10" in said
        lines = (run / "monitor" / "windows.jsonl").read_text().splitlines()
        assert json.loads(lines[-1])["global_step"] == 14
    if moment == "export":
        assert f"raymon export {run}" in said


LASTING = """
import sys, time
from raymon.cli import main as command

def run(signals):
    try:
        print("here", flush=True)
        time.sleep(60)
    finally:
        print("cleaning", flush=True)
        time.sleep({cleaning})

command._run = run
command.main()
"""


def started(*shell: str, cleaning: float = 0.0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*shell, installed_python(), "-c", LASTING.format(cleaning=cleaning)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


IMPORTING = """
import signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            try:
                # To this thread: another one may get a signal to the process, and a moment later.
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise {error}

sys.meta_path.insert(0, Interrupting())
from raymon.cli.main import main
main()
"""


@pytest.mark.parametrize("error", ["", "RecursionError('deep')"])
def test_a_command_that_is_being_imported_ends_by_one_line(error: str) -> None:
    program = IMPORTING.format(error=error)
    ended = subprocess.run(
        [installed_python(), "-c", program, "best", "run"], capture_output=True, text=True
    )
    assert ended.returncode == 130
    assert ended.stderr.startswith("raymon: interrupted")
    assert len(ended.stderr.splitlines()) == 1


def test_a_process_in_the_background_of_a_shell_ends_by_sigterm() -> None:
    # SIGINT is ignored there, and stays ignored.
    process = started("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (143, "raymon: interrupted\n")


def test_nohup_lets_a_process_live_without_its_terminal() -> None:
    process = started("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_a_second_signal_ends_at_once_and_one_that_comes_twice_does_not() -> None:
    process = started(cleaning=60)
    assert process.stdout is not None
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "cleaning\n"
    process.send_signal(signal.SIGTERM)
    while process.poll() is None:
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 143
    assert said.strip() == "raymon: interrupted again: it ends at once"


def test_a_process_that_is_forked_off_ends_by_sigterm_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from raymon.cli.signals import Signals

    signals = Signals()
    child = os.fork()
    if child == 0:
        # No code of the tests may run here.
        signal.raise_signal(signal.SIGTERM)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    assert signals.received is None


def test_an_error_inside_is_one_line_that_says_where(
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of nobody's")

    monkeypatch.setattr("raymon.training.train.plan_run", broken)
    assert train(config_file, monkeypatch) == 1
    (line,) = (each for each in capsys.readouterr().err.splitlines() if "raymon: " in each)
    assert line.startswith("raymon: ZeroDivisionError: of nobody's (")
    path = Path(line.rpartition("details are in ")[2])
    assert "Traceback" in path.read_text()
    path.unlink()
