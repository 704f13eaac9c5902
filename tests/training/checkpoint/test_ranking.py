import json
import math
from pathlib import Path

import pytest

from raymon.errors import RunError
from raymon.protos.export_pb2 import ExportConfig
from raymon.sinks.json_lines.json_lines import SCORES_FILE
from raymon.training.checkpoint.best import best_checkpoint, latest_checkpoint
from raymon.training.checkpoint.manifest import (
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
from raymon.training.checkpoint.ranking import best_of

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


def test_the_best_may_be_the_smallest(tmp_path: Path) -> None:
    for step, loss in {100: 0.5, 200: 0.4, 300: 0.6}.items():
        make(tmp_path, step, total_loss=loss)
    export = ExportConfig(best_exporter_metric="total_loss", metric_larger_is_better=False)
    assert best_checkpoint(tmp_path, export).step == 200


def test_the_later_of_equals_is_best(tmp_path: Path) -> None:
    for step in (100, 200, 300):
        make(tmp_path, step, auc=0.7)
    best = best_of(list_checkpoints(tmp_path), ExportConfig())
    assert best is not None
    assert best.step == 300


def test_a_metric_that_no_checkpoint_has_is_an_error_that_says_which_there_are(
    tmp_path: Path,
) -> None:
    make(tmp_path, 100, auc=0.7, total_loss=0.4)
    with pytest.raises(RunError, match="'acu'; they have auc, total_loss"):
        best_checkpoint(tmp_path, ExportConfig(best_exporter_metric="acu"))


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


def write_lines(model_dir: Path, *lines: str, end: str = "\n") -> None:
    (model_dir / SCORES_FILE).write_text("\n".join(lines) + end)


def line(step: int, **metrics: float | None) -> str:
    return json.dumps({"global_step": step, **metrics})


def test_the_best_of_a_run_that_is_over_is_that_of_its_file(tmp_path: Path) -> None:
    # The last line of a step counts, a deleted checkpoint does not, NaN never wins, the later
    # of equals does, and half a line is ignored.
    for step in (100, 200, 300, 400, 600):
        make(tmp_path, step, auc=0.1)
    write_lines(
        tmp_path, line(100, auc=0.99), line(100, auc=0.7), line(200, auc=0.8), line(300, auc=0.8),
        line(400, auc=None), line(500, auc=0.9), '{"global_step": 600, "auc": 0.9', end="",
    )  # fmt: skip
    best = best_checkpoint(str(tmp_path), ExportConfig())
    assert (best.step, best.metrics["auc"]) == (300, 0.8)
    smallest = ExportConfig(metric_larger_is_better=False)
    assert best_checkpoint(tmp_path, smallest).step == 600  # by its own score
    assert latest_checkpoint(tmp_path).step == 600


def test_checkpoints_without_the_metric_do_not_count_and_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for step in (100, 200, 300):
        make(tmp_path, step)
    write_lines(tmp_path, line(100, auc=0.7), line(200, loss=0.8), line(300, loss=1, auc=0.6))
    assert best_checkpoint(tmp_path, ExportConfig()).step == 100
    assert "checkpoints of step 200 without auc, which does not count" in caplog.text
    with pytest.raises(RunError, match=r"no checkpoint has the metric 'acu'; they have auc, loss"):
        best_checkpoint(tmp_path, ExportConfig(best_exporter_metric="acu"))


def test_where_no_checkpoint_has_a_value_it_is_told_which_have_none(tmp_path: Path) -> None:
    for step in (100, 200):
        make(tmp_path, step, auc=math.nan)
    write_lines(tmp_path, line(100, auc=None), line(200, auc=None))
    with pytest.raises(RunError, match=r"no checkpoint has a value of auc: .* of steps 100, 200"):
        best_checkpoint(tmp_path, ExportConfig())


def test_a_metric_knows_its_direction_and_what_is_asked_for_wins(tmp_path: Path) -> None:
    for step, loss in {100: 0.5, 200: 0.4, 300: 0.6}.items():
        make(tmp_path, step, log_loss=loss, calibration=1.0)
    assert best_checkpoint(tmp_path, ExportConfig(best_exporter_metric="log_loss")).step == 200
    larger = ExportConfig(best_exporter_metric="log_loss", metric_larger_is_better=True)
    assert best_checkpoint(tmp_path, larger).step == 300
    with pytest.raises(RunError, match="calibration cannot rank"):
        best_checkpoint(tmp_path, ExportConfig(best_exporter_metric="calibration"))


@pytest.mark.parametrize("bad", ["{}", "[1]", "nonsense", '{"global_step": 2, "auc": "high"}'])
def test_a_line_that_is_none_of_the_file_is_named(tmp_path: Path, bad: str) -> None:
    make(tmp_path, 100)
    write_lines(tmp_path, line(100, auc=0.7), bad, line(300, auc=0.8))
    with pytest.raises(RunError, match=r"train_eval_result_v2.txt:2: is no line of scores"):
        best_checkpoint(tmp_path, ExportConfig())


def test_a_run_without_checkpoints_has_no_latest(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no checkpoint"):
        latest_checkpoint(tmp_path)
