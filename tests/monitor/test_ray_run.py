"""Code that needs Ray's modules, but no cluster."""

from __future__ import annotations

import dataclasses
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raymon import RunError
from raymon.monitor import ray_run as ray_run_module
from raymon.monitor import run as run_module
from raymon.monitor.find_run import in_ray_train
from raymon.monitor.ray_run import RayRun, _begin, _name_and_directory
from raymon.monitor.run import RunSettings
from raymon.results import RunEnded
from raymon.storage import ObjectPath


def settings(model_dir: str | None = None, name: str | None = None) -> RunSettings:
    path = None if model_dir is None else Path(model_dir)
    return RunSettings({}, path, name, 100, use_tensorboard=True, first_step=0)


def context(file_system: str) -> Any:
    storage = SimpleNamespace(
        experiment_fs_path="/storage/run",
        storage_filesystem=SimpleNamespace(type_name=file_system),
    )
    return SimpleNamespace(get_storage=lambda: storage)


@pytest.mark.parametrize(
    ("given", "file_system", "place"),
    [
        (settings(), "local", ("/storage/run", Path("/storage/run"))),
        (settings(name="critic"), "local", ("/storage/run/critic", Path("/storage/run/critic"))),
        (settings("/mnt/run"), "s3", ("/mnt/run", Path("/mnt/run"))),
        (
            settings(name="critic"),
            "mock",
            ("mock:///storage/run/critic", ObjectPath(None, "", "mock:///storage/run/critic")),
        ),
    ],
)
def test_numbers_go_where_the_run_has_its_storage(
    given: RunSettings, file_system: str, place: tuple[str, Path | ObjectPath]
) -> None:
    assert _name_and_directory(given, context(file_system)) == place


def test_a_path_means_the_same_on_all_workers() -> None:
    with pytest.raises(RunError, match="has to be an absolute path"):
        _name_and_directory(settings("runs/first"), context("local"))


@pytest.mark.parametrize(
    ("error", "begun", "said"),
    [
        (RunError("another run is writing to it"), (0, "another run is writing to it"), ""),
        (OSError("no Ray"), (0, ""), "monitoring is off: OSError: no Ray"),
    ],
)
def test_only_what_the_user_can_put_right_stops_a_run(
    error: Exception,
    begun: tuple[int, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ray_run_module, "start_reporter", fail)
    assert _begin(settings(), "run", tmp_path, 2) == (*begun, None)
    # A run that did not begin here leaves what is there.
    assert not (tmp_path / "run.json").exists()
    assert said in caplog.text


def test_workers_that_ray_train_starts_again_take_back_and_others_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun = []

    def begin_attempt(token: str, world_size: int, step: int, metrics: object) -> int:
        begun.append(step)
        return len(begun)

    actor = SimpleNamespace(begin_attempt=begin_attempt)
    monkeypatch.setattr(ray_run_module, "start_reporter", lambda *_, **__: actor)
    monkeypatch.setattr(ray_run_module.ray_internals, "train_run_id", lambda: "first run")
    monkeypatch.setattr(run_module, "last_step_kept", lambda directory: 30 if begun else 0)
    none = dataclasses.replace(settings(), first_step=None)
    assert _begin(none, "run", tmp_path, 2)[:2] == (1, "")
    assert _begin(none, "run", tmp_path, 2)[:2] == (2, "")
    monkeypatch.setattr(ray_run_module.ray_internals, "train_run_id", lambda: "second run")
    number, refused, _ = _begin(none, "run", tmp_path, 2)
    assert number == 0
    assert "has the numbers of a run up to step 30" in refused
    assert _begin(dataclasses.replace(none, first_step=20), "run", tmp_path, 2)[:2] == (3, "")
    assert begun == [0, 0, 20]


DONE = RunEnded("done")


class Reporter:
    """Counts the calls of a `RayReporter`."""

    def __init__(self, ended: list[int]) -> None:
        self.ended = ended
        self.closed = self.stopped = 0
        self.actor = SimpleNamespace(status=SimpleNamespace(remote=self.status))

    def status(self) -> SimpleNamespace:
        ended = self.ended.pop(0) if len(self.ended) > 1 else self.ended[0]
        return SimpleNamespace(ranks_ended=ended)

    def close(self, ended: RunEnded, timeout_s: float) -> SimpleNamespace:
        self.closed += 1
        return SimpleNamespace(attempts=7)

    def stop(self) -> None:
        self.stopped += 1


@pytest.mark.parametrize(("ended", "timeout_s"), [([1, 1, 2], 60.0), ([1], 0.3)])
def test_rank_0_closes_when_all_ranks_have_ended_or_at_its_deadline(
    ended: list[int], timeout_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_run_module.ray, "get", lambda answer, timeout: answer)
    monkeypatch.setattr(ray_run_module, "_LAST_ANSWERS_S", 0.0)
    reporter: Any = Reporter(ended)
    run = RayRun(0, 2, 1, None, reporter, reporter)
    start = time.monotonic()
    assert run.close(start + timeout_s, DONE) == SimpleNamespace(attempts=7)
    assert time.monotonic() - start < 10
    run.end()
    assert (reporter.closed, reporter.stopped) == (1, 1)


def test_other_ranks_leave_the_reporter_to_rank_0() -> None:
    reporter: Any = Reporter([0])
    run = RayRun(1, 2, 1, None, reporter, reporter)
    assert run.close(time.monotonic(), DONE) is None
    run.end()
    assert (reporter.closed, reporter.stopped, run.publisher) == (0, 0, None)


def test_a_driver_is_no_worker() -> None:
    import_module("ray.train")

    assert not in_ray_train()
