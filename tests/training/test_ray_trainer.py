"""What needs Ray's modules, and no cluster."""

import json
import math
from pathlib import Path

import pytest
from ray.train import CheckpointConfig, TrainingFailedError

from raymon.errors import DataError, TrainingError
from raymon.protos.export_pb2 import ExportConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.ray_trainer import (
    _checkpoint_config,
    _forget_lost_checkpoints,
    _own_error,
)
from raymon.training.worker_context import ANOTHER_WORKER


def config(**export: object) -> PipelineConfig:
    pipeline = PipelineConfig()
    pipeline.train_config.keep_checkpoint_max = 3
    for name, value in export.items():
        setattr(pipeline.export_config, name, value)
    return pipeline


def test_type_best_asks_ray_to_rank_by_the_metric() -> None:
    export = {"best_exporter_metric": "total_loss", "metric_larger_is_better": False}
    asked = _checkpoint_config(config(exporter_type="best", **export))
    assert asked.num_to_keep == 3
    assert asked.checkpoint_score_attribute == "total_loss"
    assert asked.checkpoint_score_order == "min"


def test_type_latest_asks_ray_for_the_most_recent() -> None:
    asked = _checkpoint_config(config())
    assert (asked.num_to_keep, asked.checkpoint_score_attribute) == (3, None)


def test_keeping_all_asks_ray_to_delete_nothing() -> None:
    pipeline = config()
    pipeline.train_config.keep_checkpoint_max = 0
    assert _checkpoint_config(pipeline).num_to_keep is None


def snapshot(model_dir: Path, *names: str) -> Path:
    path = model_dir / "checkpoint_manager_snapshot.json"
    known = [{"checkpoint_dir_name": name} for name in names]
    path.write_text(json.dumps({"checkpoint_results": known}))
    return path


def test_what_ray_knows_is_kept_while_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt-10").mkdir()
    path = snapshot(tmp_path, "model.ckpt-10")
    _forget_lost_checkpoints(tmp_path)
    assert path.exists()


@pytest.mark.parametrize("text", [None, "", "{}", "[1]"])
def test_what_ray_knows_is_forgotten_when_it_is_gone(tmp_path: Path, text: str | None) -> None:
    path = snapshot(tmp_path, "model.ckpt-10")
    if text is not None:
        path.write_text(text)
    _forget_lost_checkpoints(tmp_path)
    assert not path.exists()


def test_the_rank_that_knows_the_cause_is_heard() -> None:
    failed = TrainingFailedError("all ranks")
    failed.worker_failures = {
        0: TrainingError(f"not saved: {ANOTHER_WORKER}"),
        1: TrainingError("not saved: disk full"),
    }
    assert str(_own_error(failed)) == "not saved: disk full"
    failed.worker_failures[2] = DataError("a label is wrong")
    assert isinstance(_own_error(failed), DataError)


def test_what_ray_has_of_a_step_is_not_reported_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Ray would count one directory twice, and delete it for the older of the two.
    import ray.train

    from raymon.training.ray_register import RayRegister

    reported: list[str] = []
    known = ray.train.Checkpoint(str(tmp_path / "model.ckpt-20"))
    monkeypatch.setattr(ray.train, "get_checkpoint", lambda: known)
    monkeypatch.setattr(
        ray.train, "report", lambda *_, **how: reported.append(how["checkpoint_dir_name"])
    )
    register = RayRegister(ExportConfig())
    # The newest was damaged, and the run goes on from the one before.
    for step in (10, 20, 30):
        directory = tmp_path / f"model.ckpt-{step}"
        directory.mkdir()
        register.register(str(directory), step, {"auc": 0.5})
    register.close()
    assert reported == ["model.ckpt-30"]


@pytest.mark.parametrize("larger", [True, False])
def test_a_score_that_is_no_number_is_the_worst_and_survives_what_ray_writes(larger: bool) -> None:
    from ray.train._internal.checkpoint_manager import _CheckpointManager, _TrainingResult

    from raymon.training.ray_register import for_ray

    export = ExportConfig(best_exporter_metric="auc", metric_larger_is_better=larger)
    ranked = _CheckpointManager(
        CheckpointConfig(
            checkpoint_score_attribute="auc", checkpoint_score_order="max" if larger else "min"
        )
    )
    scores = [{"auc": 0.3}, {"auc": 0.4, "loss": math.inf}, {"auc": math.nan}, {}]
    # As Ray's snapshot has them after a restart.
    read = [json.loads(json.dumps(for_ray(each, export), allow_nan=False)) for each in scores]
    keys = [ranked._get_checkpoint_score(_TrainingResult(None, each)) for each in read]
    assert max(keys) == keys[1 if larger else 0]
    assert keys[2] == keys[3] == min(keys)
