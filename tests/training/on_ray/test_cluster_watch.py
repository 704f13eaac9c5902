"""A lost Ray is noticed, and a Ray that this process started ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import ray
from ray.train import TrainingFailedError

from raymon.errors import ClusterLostError, TrainingError
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.on_ray import trainer as ray_trainer
from raymon.training.on_ray.cluster_watch import ClusterWatch
from tests.installed import installed_python


@contextmanager
def sleeping() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def node_of(monkeypatch: pytest.MonkeyPatch, **processes: subprocess.Popen[bytes]) -> None:
    node = SimpleNamespace(
        all_processes={name: [SimpleNamespace(process=p)] for name, p in processes.items()},
        get_logs_dir_path=lambda: "/logs",
    )
    monkeypatch.setattr(ray._private.worker, "_global_node", node)


@pytest.mark.parametrize(("name", "what"), [("gcs_server", "GCS"), ("raylet", "raylet")])
def test_who_waits_for_a_ray_that_is_gone_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    # As for a background job of a shell.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with sleeping() as vital, sleeping() as other:
            node_of(monkeypatch, **{name: vital, "dashboard": other})
            with ClusterWatch() as watch:
                assert watch.gone() is None
                other.kill()
                other.wait()
                assert watch.gone() is None
                vital.kill()
                with pytest.raises(KeyboardInterrupt):
                    time.sleep(60)
                assert watch.woke
                assert watch.gone() == (
                    f"Ray's {what}, process {vital.pid} of this machine, ended with exit code -9; "
                    "its logs are in /logs"
                )
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Records what happens to a trainer; how `fit` ends is the first item of the list."""
    happened: list[object] = []

    class Trainer:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def fit(self) -> None:
            end = happened.pop(0)
            assert isinstance(end, BaseException)
            raise end

        def abort(self) -> None:
            happened.append("aborted")

    monkeypatch.setattr(ray_trainer, "_Trainer", Trainer)
    return happened


def fit(tmp_path: Path, happened: list[object]) -> None:
    config = PipelineConfig(model_dir=str(tmp_path / "run"))
    config.ray_config.num_workers = 2
    job = SimpleNamespace(config=config, serialized_config=b"", checkpoint=None)
    reporter = SimpleNamespace(run="run")
    ray_trainer.fit(job, reporter, {}, lambda: happened.append("told"))


def test_an_interruption_is_told_before_anything_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer: list[object]
) -> None:
    with sleeping() as raylet:
        node_of(monkeypatch, raylet=raylet)
        trainer.append(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path, trainer)
    assert trainer == ["told", "aborted"]


def test_a_signal_to_the_whole_group_asks_nothing_of_a_ray_that_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer: list[object]
) -> None:
    with sleeping() as raylet, sleeping() as dashboard:
        node_of(monkeypatch, raylet=raylet, dashboard=dashboard)
        dashboard.terminate()
        trainer.append(KeyboardInterrupt())
        with pytest.raises(ClusterLostError) as lost:
            fit(tmp_path, trainer)
    assert lost.value.interrupted
    assert trainer == ["told"]


def test_workers_that_end_with_their_raylet_are_no_failure_of_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer: list[object]
) -> None:
    with sleeping() as raylet:
        node_of(monkeypatch, raylet=raylet)
        trainer.append(TrainingFailedError("workers died"))
        with pytest.raises(TrainingError) as failed:
            fit(tmp_path, trainer)
        assert not isinstance(failed.value, ClusterLostError)
        raylet.kill()
        raylet.wait()
        trainer.append(TrainingFailedError("workers died"))
        with pytest.raises(ClusterLostError, match="Ray's raylet") as lost:
            fit(tmp_path, trainer)
    assert not lost.value.interrupted
    assert trainer == []


DRIVER = """
import sys, time
from types import SimpleNamespace
import ray
from raymon.training.on_ray.cluster_watch import StartedRay

ray._private.worker._global_node = SimpleNamespace(get_session_dir_path=lambda: sys.argv[1])
started = StartedRay()
print("here", flush=True)
time.sleep(60)
"""


def test_agents_of_a_ray_end_with_the_process_that_started_it(tmp_path: Path) -> None:
    def named(name: str, directory: Path) -> psutil.Process:
        directory.mkdir(exist_ok=True)
        with (directory / "log").open("w") as log:
            command = ["bash", "-c", f"exec -a {name} sleep 60"]
            return psutil.Process(subprocess.Popen(command, stdout=log).pid)

    agent = named("ray::Agent", tmp_path / "session")
    of_another = named("ray::Agent", tmp_path / "session-2")
    of_a_person = named("tail", tmp_path / "session")
    driver = subprocess.Popen(
        [installed_python(), "-c", DRIVER, tmp_path / "session"], stdout=subprocess.PIPE
    )
    try:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"here\n"
        assert agent.status() != psutil.STATUS_ZOMBIE
        driver.kill()
        assert agent.wait(timeout=30) == -signal.SIGKILL
        assert of_another.is_running()
        assert of_a_person.is_running()
    finally:
        driver.kill()
        driver.communicate()
        for process in (of_another, of_a_person):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
