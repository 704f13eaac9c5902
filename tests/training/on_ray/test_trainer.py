"""What needs Ray's modules, and no cluster."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyarrow import fs
from ray.train import TrainingFailedError

from raymon.errors import DataError, TrainingError
from raymon.training.checkpoint.manifest import Checkpoint
from raymon.training.on_ray.trainer import _own_error
from raymon.training.rank.worker_context import ANOTHER_WORKER


def test_the_rank_that_knows_the_cause_is_heard() -> None:
    failed = TrainingFailedError("all ranks")
    failed.worker_failures = {
        0: TrainingError(f"not saved: {ANOTHER_WORKER}"),
        1: TrainingError("not saved: disk full"),
    }
    assert str(_own_error(failed)) == "not saved: disk full"
    failed.worker_failures[2] = DataError("a label is wrong")
    assert isinstance(_own_error(failed), DataError)


def test_what_ray_knows_is_not_reported_again_and_what_is_written_again_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import ray.train

    from raymon.training.on_ray.register import RayRegister

    reported: list[tuple[str, bool]] = []
    known = ray.train.Checkpoint(str(tmp_path / "model.ckpt-30"))
    monkeypatch.setattr(ray.train, "get_checkpoint", lambda: known)
    storage = SimpleNamespace(storage_filesystem=fs.LocalFileSystem())
    monkeypatch.setattr(
        ray.train, "get_context", lambda: SimpleNamespace(get_storage=lambda: storage)
    )
    monkeypatch.setattr(
        ray.train,
        "report",
        lambda *_, **how: reported.append((how["checkpoint_dir_name"], bool(how["validation"]))),
    )
    register = RayRegister(validates=True)
    found = [
        Checkpoint(tmp_path / f"model.ckpt-{step}", step, 0, {}, 1) for step in (10, 20, 30, 40)
    ]
    # Workers died before they reported the last one.
    register.begin(found)
    # The run went back, and has no score of what it writes a second time.
    register.register(str(tmp_path / "model.ckpt-30"), 30, {})
    register.register(str(tmp_path / "model.ckpt-50"), 50, {"auc": 0.5})
    register.close()
    assert reported == [("model.ckpt-40", True), ("model.ckpt-30", True), ("model.ckpt-50", False)]


def test_ray_gets_no_score_that_it_would_not_read_again() -> None:
    from raymon.training.on_ray.register import for_ray

    assert for_ray({"auc": 0.5, "loss": math.inf, "ne": math.nan}) == {"auc": 0.5}
