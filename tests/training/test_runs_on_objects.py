"""Whole runs in this process whose directory is on object storage, which may fail."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from pyarrow import fs

import raymon
from raymon.errors import TrainingError
from raymon.results.count_names import SAVES_FAILED
from raymon.run_dir import lock as run_lock
from raymon.storage import object_path, paths, storage_path
from raymon.training import follow as driver
from raymon.training.checkpoint import restore
from raymon.training.checkpoint.manifest import MANIFEST, checkpoint_directories, list_checkpoints
from raymon.training.checkpoint.verify import verify_checkpoints
from raymon.training.loop.loop import Loop
from tests.checkpoints import saved_tensors
from tests.storage.copies import mirror
from tests.storage.objects import Objects, now_and_then

RUN = "mem://bucket/run"


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Objects:
    """The storage of URIs that begin with mem://."""
    storage = Objects()

    def open_uri(uri: str) -> tuple[Any, str]:
        return fs.PyFileSystem(storage), uri.removeprefix("mem://")

    monkeypatch.setattr(paths, "open_uri", open_uri)
    monkeypatch.setattr(object_path, "_READ_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(restore, "_PAUSES_S", (0.0,))
    monkeypatch.setattr(driver, "_SUMMARY_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(run_lock, "_SETTLE_S", 0.0)
    return storage


def train(config_file: Path, run: str, steps: int = 40, **options: bool) -> Any:
    chosen = {
        "ray_config.num_workers": 0,
        "train_config.num_steps": steps,
        "train_config.save_checkpoints_steps": 10,
        "train_config.log_step_count_steps": 5,
        "model_dir": run,
    }
    return raymon.train(config_file, chosen, **options)


def assert_same(there: Path, here: Path, steps: list[int]) -> None:
    for step in steps:
        found, expected = (saved_tensors(run / f"model.ckpt-{step}") for run in (there, here))
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    names = ("global_step", "samples", "samples_total", "losses", "metrics")
    lines = [json.loads(line) for line in (here / "monitor/windows.jsonl").open()]
    expected_lines = [[line[name] for name in names] for line in lines]
    parts = sorted((there / "monitor/windows.jsonl").iterdir())
    text = b"".join(part.read_bytes() for part in parts)
    found_lines = [[json.loads(line)[name] for name in names] for line in text.splitlines()]
    assert found_lines == expected_lines
    scores = [(run / "train_eval_result_v2.txt").read_bytes() for run in (there, here)]
    assert scores[0] == scores[1]
    lines = [json.loads(line) for line in (here / "monitor/evaluations.jsonl").open()]
    parts = sorted((there / "monitor/evaluations.jsonl").iterdir())
    text = b"".join(part.read_bytes() for part in parts)
    shown = [
        {**json.loads(line), "time": line_here["time"], "seconds": line_here["seconds"]}
        for line, line_here in zip(text.splitlines(), lines, strict=True)
    ]
    assert shown == lines


def test_a_run_on_objects_is_the_local_one(
    config_file: Path, objects: Objects, tmp_path: Path
) -> None:
    here = train(config_file, str(tmp_path / "here"))
    there = train(config_file, RUN)
    copy = mirror(objects, tmp_path / "there") / "run"
    assert_same(copy, tmp_path / "here", [10, 20, 30, 40])
    assert (there.status, there.eval_metrics) == ("done", here.eval_metrics)
    assert there.best_checkpoint == f"{RUN}/model.ckpt-{Path(str(here.best_checkpoint)).name[11:]}"
    assert json.loads((copy / "run.json").read_text())["model_dir"] == RUN
    verdicts = [verdict.problem for verdict in verify_checkpoints(storage_path(RUN))]
    assert verdicts == [None] * 4
    for step in (10, 20, 30, 40):
        manifests = [
            json.loads((run / f"model.ckpt-{step}" / MANIFEST).read_text())
            for run in (copy, tmp_path / "here")
        ]
        assert manifests[0]["tensors"] == manifests[1]["tensors"]


def test_a_run_that_raises_in_the_middle_goes_on_from_the_objects(
    config_file: Path, objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(config_file, str(tmp_path / "here"))
    original = Loop._step

    def failing(self: Loop, *arguments: object) -> None:
        if self._state.step == 23:
            raise RuntimeError("power cut")
        original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_step", failing)
        with pytest.raises(TrainingError, match="power cut"):
            train(config_file, RUN)
    with pytest.raises(raymon.RunError, match=f"{RUN}: has a checkpoint of step 20; pass --resume"):
        train(config_file, RUN)
    train(config_file, RUN, resume=True)
    copy = mirror(objects, tmp_path / "there") / "run"
    assert_same(copy, tmp_path / "here", [10, 20, 30, 40])


def test_storage_that_fails_for_a_while_costs_saves_and_no_numbers(
    config_file: Path, objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(config_file, str(tmp_path / "here"))
    original = Loop._save

    def fail(kind: str) -> None:
        raise OSError("503 SlowDown")

    def saving(self: Loop) -> None:
        if self._state.step == 20:
            # The earlier save must have ended, however slow the machine is.
            self._saver.wait()
            objects.fails = fail
        original(self)
        if self._state.step == 20:
            self._saver.wait()
            objects.fails = lambda kind: None

    monkeypatch.setattr(Loop, "_save", saving)
    summary = train(config_file, RUN)
    assert (summary.status, summary.save_counts) == ("done", {SAVES_FAILED: 1})
    copy = mirror(objects, tmp_path / "there") / "run"
    assert [c.step for c in list_checkpoints(copy)] == [10, 30, 40]
    assert_same(copy, tmp_path / "here", [10, 30, 40])


@pytest.mark.parametrize("seed", range(3))
def test_whatever_requests_fail_no_checkpoint_is_half_there(
    config_file: Path, objects: Objects, seed: int, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    objects.arrives = lambda: rng.random() < 0.5
    train(config_file, str(tmp_path / "here"))
    train(config_file, RUN, steps=10)
    objects.fails = now_and_then(rng, 0.03)
    try:
        train(config_file, RUN, resume=True)
    except raymon.RaymonError as error:
        print(error)
    objects.fails = lambda kind: None
    run = storage_path(RUN)
    whole = [checkpoint.path for checkpoint in list_checkpoints(run)]
    assert whole
    verdicts = {str(v.path): v.problem for v in verify_checkpoints(run)}
    assert all(verdicts[str(path)] is None for path in whole)
    train(config_file, RUN, resume=True)
    copy = mirror(objects, tmp_path / "there") / "run"
    for path in whole[-1:]:
        expected = saved_tensors(tmp_path / "here" / path.name)
        found = saved_tensors(copy / path.name)
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    final = saved_tensors(copy / "model.ckpt-40")
    expected = saved_tensors(tmp_path / "here" / "model.ckpt-40")
    assert all(torch.equal(final[name], expected[name]) for name in expected)


def test_training_does_not_wait_for_slow_storage(
    config_file: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    stepped: list[float] = []
    original = Loop._step

    def slow(kind: str) -> None:
        if stepped and len(stepped) < 40:
            threads.add(threading.current_thread().name)
            time.sleep(0.2)

    def step(self: Loop, *arguments: object) -> None:
        original(self, *arguments)
        stepped.append(time.monotonic())

    monkeypatch.setattr(Loop, "_step", step)
    objects.fails = slow
    train(config_file, RUN)
    assert threading.main_thread().name not in threads
    assert threads


def test_an_interrupted_save_is_no_checkpoint(
    config_file: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(config_file, RUN, steps=10)
    manifest = "bucket/run/model.ckpt-10/manifest.json"
    whole = dict(objects.objects)
    for key in [k for k in whole if "/model.ckpt-10/" in k]:
        objects.objects = {k: v for k, v in whole.items() if k != key}
        assert list_checkpoints(storage_path(RUN)) == []
        objects.objects = {**whole, key: whole[key][:-1]}
        complete = list_checkpoints(storage_path(RUN))
        assert complete == [], key
    objects.objects = {k: v for k, v in whole.items() if k != manifest}
    assert len(checkpoint_directories(storage_path(RUN))) == 1


def test_storage_that_does_not_answer_is_no_empty_storage(
    config_file: Path, objects: Objects
) -> None:
    train(config_file, RUN, steps=10)

    def fail(kind: str) -> None:
        if kind == "get":
            raise OSError("503 SlowDown")

    objects.fails = fail
    with pytest.raises(raymon.RunError, match=r"run/.*: cannot be read: 503 SlowDown"):
        train(config_file, RUN, steps=20)


def test_retention_deletes_objects(config_file: Path, objects: Objects) -> None:
    chosen = {
        "ray_config.num_workers": 0,
        "train_config.num_steps": 50,
        "train_config.save_checkpoints_steps": 10,
        "train_config.keep_checkpoint_max": 2,
        "export_config.exporter_type": "latest",
        "model_dir": RUN,
    }
    raymon.train(config_file, chosen)
    there = {key.split("/")[2] for key in objects.objects if "model.ckpt" in key}
    assert there == {"model.ckpt-40", "model.ckpt-50"}


def test_traces_are_there_at_the_end(config_file: Path, objects: Objects) -> None:
    chosen = {
        "ray_config.num_workers": 0,
        "train_config.num_steps": 20,
        "train_config.is_profiling": True,
        "model_dir": RUN,
    }
    raymon.train(config_file, chosen)
    assert any("/train_eval_trace/" in key for key in objects.objects)


def test_what_ended_a_run_is_told_though_its_summary_is_not_written(
    config_file: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("power cut")

    def not_summarised(*_: object) -> None:
        raise raymon.RunError("503 SlowDown")

    monkeypatch.setattr(Loop, "_step", failing)
    monkeypatch.setattr(driver, "summarise", not_summarised)
    with pytest.raises(TrainingError, match="power cut"):
        train(config_file, RUN)


def test_a_summary_is_written_though_storage_fails_for_a_moment(
    config_file: Path, objects: Objects
) -> None:
    left = [2]

    def fail(kind: str) -> None:
        if (
            kind == "put"
            and left[0]
            and "bucket/run/model.ckpt-40/manifest.json" in objects.objects
        ):
            left[0] -= 1
            raise OSError("503 SlowDown")

    objects.fails = fail
    assert train(config_file, RUN).status == "done"
    assert left == [0]
    assert json.loads(objects.objects["bucket/run/run.json"])["status"] == "done"
