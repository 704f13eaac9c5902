"""What Ray Train finds in the directory of a run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import ray.train
from ray.train._internal.session import _TrainingResult
from ray.train.v2._internal.execution.checkpoint.checkpoint_manager import CheckpointManager
from ray.train.v2._internal.execution.context import StorageContext

from raymon.training.on_ray.storage import in_ray, repair_snapshot

SNAPSHOT = "checkpoint_manager_snapshot.json"


def manager(run: Path) -> CheckpointManager:
    """Ray's checkpoint manager, as at the begin of a run."""
    parent, filesystem = in_ray(run.parent)
    storage = StorageContext(parent, run.name, storage_filesystem=filesystem)
    return CheckpointManager(ray.train.CheckpointConfig(), storage)


def know(run: Path, *steps: int) -> None:
    """Makes Ray record checkpoints, the last of which waits for its scores."""
    found: Any = manager(run)
    for step in steps:
        path = run / f"model.ckpt-{step}"
        path.mkdir(parents=True)
        result = _TrainingResult(ray.train.Checkpoint(*in_ray(path)), {"auc": 0.5})
        found._checkpoint_results.append(result)
        found._checkpoint_to_report_index[result.checkpoint] = step
        found._latest_checkpoint_result = result
        found._pending_training_results = {result.checkpoint: (result, True)}
    found._write_state_to_storage()


def names(run: Path) -> list[str]:
    return [Path(result.checkpoint.path).name for result in manager(run)._checkpoint_results]


def test_ray_knows_what_is_there(tmp_path: Path) -> None:
    run = tmp_path / "run"
    know(run, 10, 20, 30)
    before = (run / SNAPSHOT).read_text()
    repair_snapshot(run)
    assert json.loads((run / SNAPSHOT).read_text()) == json.loads(before)
    (run / "model.ckpt-10").rmdir()
    repair_snapshot(run)
    assert names(run) == ["model.ckpt-20", "model.ckpt-30"]
    assert len(manager(run).get_pending_training_results()) == 1


def test_the_newest_may_be_the_one_that_is_gone(tmp_path: Path) -> None:
    run = tmp_path / "run"
    know(run, 10, 20)
    (run / "model.ckpt-20").rmdir()
    repair_snapshot(run)
    found = manager(run)
    assert Path(found.latest_checkpoint_result.checkpoint.path).name == "model.ckpt-10"
    assert not found.get_pending_training_results()
    (run / "model.ckpt-10").rmdir()
    repair_snapshot(run)
    assert manager(run).latest_checkpoint_result is None


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"\xff", b'{"checkpoint_results": [1]}'])
def test_what_ray_could_not_read_is_forgotten(tmp_path: Path, text: bytes) -> None:
    (tmp_path / SNAPSHOT).write_bytes(text)
    repair_snapshot(tmp_path)
    repair_snapshot(tmp_path)
    assert not (tmp_path / SNAPSHOT).exists()


def test_a_directory_that_is_gone_is_made_again_for_what_ray_writes(tmp_path: Path) -> None:
    inner, filesystem = in_ray(tmp_path / "run" / "file")
    assert pickle.loads(pickle.dumps(filesystem)) == filesystem
    with filesystem.open_output_stream(inner) as stream:
        stream.write(b"1")
    assert Path(inner).read_bytes() == b"1"
