import json
import math
from pathlib import Path

import pytest

from raymon.errors import RunError
from raymon.protos.export_pb2 import ExportConfig
from raymon.training.checkpoint import (
    MANIFEST,
    FileEntry,
    begin_checkpoint,
    checkpoint_path,
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
    write_manifest,
    write_part,
)
from raymon.training.retention import LocalRegister, best_checkpoint, best_of_run

PART = "rank-00000.pt"


def make(model_dir: Path, step: int, **metrics: float) -> Path:
    path = checkpoint_path(model_dir, step)
    begin_checkpoint(path)
    write_part(path, PART, {"step": step})
    files = {PART: FileEntry.of(path / PART)}
    write_manifest(path, step=step, epoch=0, metrics=metrics, world_size=1, files=files, tensors={})
    return path


def steps(model_dir: Path) -> list[int]:
    return [checkpoint.step for checkpoint in list_checkpoints(model_dir)]


def keep(model_dir: Path, export: ExportConfig, count: int, scores: dict[int, float]) -> list[int]:
    register = LocalRegister(model_dir, export, count)
    for step, score in scores.items():
        register.register(str(make(model_dir, step, auc=score)), step, {"auc": score})
    return steps(model_dir)


SCORES = {100: 0.7, 200: 0.9, 300: 0.8, 400: 0.6}


def test_type_latest_keeps_the_most_recent(tmp_path: Path) -> None:
    assert keep(tmp_path, ExportConfig(), 2, SCORES) == [300, 400]


def test_type_best_keeps_the_best_and_the_latest(tmp_path: Path) -> None:
    assert keep(tmp_path, ExportConfig(exporter_type="best"), 2, SCORES) == [200, 300, 400]


def test_zero_keeps_all(tmp_path: Path) -> None:
    assert keep(tmp_path, ExportConfig(exporter_type="best"), 0, SCORES) == [100, 200, 300, 400]


def test_a_score_that_is_not_a_number_is_the_worst(tmp_path: Path) -> None:
    scores = {100: 0.7, 200: math.nan, 300: 0.8}
    assert keep(tmp_path, ExportConfig(exporter_type="best"), 2, scores) == [100, 300]


def test_the_best_may_be_the_smallest(tmp_path: Path) -> None:
    for step, loss in {100: 0.5, 200: 0.4, 300: 0.6}.items():
        make(tmp_path, step, total_loss=loss)
    export = ExportConfig(best_exporter_metric="total_loss", metric_larger_is_better=False)
    assert best_of_run(tmp_path, export).step == 200


def test_the_later_of_equals_is_best(tmp_path: Path) -> None:
    for step in (100, 200, 300):
        make(tmp_path, step, auc=0.7)
    best = best_checkpoint(list_checkpoints(tmp_path), ExportConfig())
    assert best is not None
    assert best.step == 300


def test_a_metric_that_no_checkpoint_has_is_an_error_that_says_which_there_are(
    tmp_path: Path,
) -> None:
    make(tmp_path, 100, auc=0.7, total_loss=0.4)
    with pytest.raises(RunError, match="'acu'; they have auc, total_loss"):
        best_of_run(tmp_path, ExportConfig(best_exporter_metric="acu"))


def test_a_directory_without_its_manifest_is_no_checkpoint(tmp_path: Path) -> None:
    (make(tmp_path, 100) / MANIFEST).unlink()
    assert steps(tmp_path) == []


def test_a_file_that_is_cut_short_makes_no_checkpoint(tmp_path: Path) -> None:
    make(tmp_path, 100)
    part = make(tmp_path, 200) / PART
    part.write_bytes(part.read_bytes()[:-1])
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.step == 100


def test_a_save_that_begins_again_takes_the_old_manifest_away(tmp_path: Path) -> None:
    path = make(tmp_path, 100)
    begin_checkpoint(path)
    assert read_checkpoint(path) is None


def test_a_manifest_says_what_wrote_it(tmp_path: Path) -> None:
    manifest = json.loads((make(tmp_path, 100, auc=0.5) / MANIFEST).read_text())
    assert manifest["step"] == 100
    assert manifest["metrics"] == {"auc": 0.5}
    assert {"raymon_version", "torch_version", "world_size", "files"} <= set(manifest)


def test_steps_are_ordered_as_numbers(tmp_path: Path) -> None:
    for step in (1000, 200, 30):
        make(tmp_path, step)
    assert steps(tmp_path) == [30, 200, 1000]
