"""Two workers of Ray are asked from other processes: through the directory, and through Ray."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.checkpoints import saved_model
from tests.integration.conftest import start_raymon
from tests.integration.kills import finish, kill, reported_step, start, wait_for
from tests.soak.heads import started_head

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

SETTINGS = ("train_config.num_epochs=1000", "train_config.save_checkpoints_steps=1000000")


def asked(*command: object, address: str | None = None) -> tuple[int, str, str]:
    """Returns the exit code and the outputs of a command, in an environment without Ray's."""
    words = [*command, *(("--address", address) if address else ())]
    process = start_raymon(*words)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def answer(*command: object, address: str | None = None) -> str:
    code, output, errors = asked(*command, address=address)
    assert code == 0, errors
    return output


def names_of_processes(path: str) -> set[str]:
    with gzip.open(path) as file:
        events = json.load(file)["traceEvents"]
    assert {event["pid"] for event in events if event["ph"] == "X"} >= {0, 1000}
    return {e["args"]["name"].split(" (")[0] for e in events if e["name"] == "process_name"}


@pytest.fixture
def training(tmp_path: Path, click_log: Path, ray_address: str) -> Any:
    process = start(tmp_path, click_log, ray_address, *SETTINGS)
    wait_for(lambda: reported_step(tmp_path / "run") >= 20, process)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_two_workers_answer_and_stop_at_one_step(
    training: subprocess.Popen[str], tmp_path: Path, click_log: Path, ray_address: str
) -> None:
    run = tmp_path / "run"
    for address in (None, ray_address):
        status = json.loads(answer("status", run, "--json", address=address))
        assert status["status"] == "running"
        assert len(status["ranks"]) == status["coverage"]["world_size"] == 2
        path = answer("profile", run, "--steps", 3, address=address).strip()
        assert names_of_processes(path) == {"rank 0", "rank 1"}
        only = answer("profile", run, "--steps", 2, "--ranks", 1, "--json", address=address)
        with gzip.open(json.loads(only)["path"]) as file:
            assert {e["pid"] for e in json.load(file)["traceEvents"]} == {1000}
        code, _, errors = asked("profile", run, "--ranks", 2, address=address)
        assert (code, "ranks 0 to 1" in errors) == (2, True)
    text = answer("stop", run)
    summary = finish(training)
    assert summary["status"] == "stopped"
    assert f"step {summary['steps']} is saved" in text
    assert summary["monitoring"]["windows_lost"] == 0
    code, _, errors = asked("stop", run)
    assert (code, "the run is over" in errors) == (1, True)
    code, _, errors = asked("status", run, address=ray_address)
    assert (code, "no such run" in errors) == (1, True)
    # On from there, no weight is another one than that of a run that was never stopped.
    more = f"train_config.num_steps={summary['steps'] + 40}"
    steps = ("train_config.num_epochs=", more, *SETTINGS[1:])
    finish(start(tmp_path, click_log, ray_address, *steps, flags=["--resume"]))
    alone = tmp_path / "alone"
    alone.mkdir()
    finish(start(alone, click_log, ray_address, *steps))
    name = f"model.ckpt-{summary['steps'] + 40}"
    expected = saved_model(alone / "run" / name)
    for parameter, weight in saved_model(run / name).items():
        assert torch.equal(weight, expected[parameter]), parameter


def test_a_stop_holds_though_a_worker_dies(training: subprocess.Popen[str], tmp_path: Path) -> None:
    stopping = start_raymon("stop", tmp_path / "run")
    kill("RayTrainWorker")
    summary = finish(training)
    output, errors = stopping.communicate(timeout=60)
    assert summary["status"] == "stopped", errors
    assert "stopped" in output


def test_stacks_say_where_workers_are(training: subprocess.Popen[str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    while "not known yet" in (stacks := answer("stack", run)):
        assert training.poll() is None
    assert stacks.count("train_loop_per_worker") >= 2
    only = json.loads(answer("stack", run, "--rank", 1, "--json"))
    assert list(only) == ["1"]
    assert "run_worker" in only["1"]


def test_a_driver_elsewhere_is_asked_by_the_client_of_ray(
    click_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started_head(tmp_path, with_token=False) as head:
        for name, value in head.environment.items():
            monkeypatch.setenv(name, value)
        training = start(tmp_path, click_log, head.client, *SETTINGS)
        run = tmp_path / "run"
        wait_for(lambda: reported_step(run) >= 20, training)
        # Somewhere where the directory of the run is not to be seen, the name alone is known.
        status = json.loads(answer("status", run, "--json", address=head.client))
        assert (status["status"], status["world_size"]) == ("running", 2)
        code, _, errors = asked("status", tmp_path / "other", address=head.client)
        assert (code, str(run) in errors) == (1, True)
        assert "is saved" in answer("stop", run, address=head.client)
        assert finish(training)["status"] == "stopped"
