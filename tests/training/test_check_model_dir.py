"""Directories that a run may begin in, or continue in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

import raymon
from raymon.errors import RunError
from raymon.training.checkpoint.manifest import INDEX, MANIFEST
from raymon.training.prepare import check_model_dir
from tests.storage.objects import Objects
from tests.training.checkpoint.test_ranking import make


def content(run: Path) -> list[Path]:
    return sorted(run.rglob("*"))


@pytest.mark.parametrize("inner", ["model/__0_0.distcp", "plan", "weights.bin"])
def test_a_checkpoint_of_another_program_is_not_written_over(tmp_path: Path, inner: str) -> None:
    foreign = tmp_path / "model.ckpt-1000" / inner
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"theirs")
    with pytest.raises(RunError, match=r"model\.ckpt-1000: is of another program"):
        check_model_dir(tmp_path, resume=False)
    with pytest.raises(RunError, match="--resume: no complete checkpoint to go on from"):
        check_model_dir(tmp_path, resume=True)


def test_a_file_by_the_name_of_a_checkpoint_is_none(tmp_path: Path) -> None:
    make(tmp_path, 10)
    (tmp_path / "model.ckpt-20").write_bytes(b"theirs")
    check_model_dir(tmp_path, resume=True)
    assert raymon.latest_checkpoint(tmp_path).step == 10


def test_what_a_save_leaves_that_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    path = make(tmp_path, 10)
    for name in ("__0_0.distcp", INDEX, "trainer.pt", f".{MANIFEST}.123.new", "scores.json"):
        (path / name).write_bytes(b"half")
    (path / MANIFEST).unlink()
    check_model_dir(tmp_path, resume=False)


def test_the_numbers_of_a_monitored_loop_are_not_taken_back(tmp_path: Path) -> None:
    with raymon.Monitor(model_dir=tmp_path, log_step_count_steps=10) as monitor:
        for _ in range(20):
            monitor.step({"loss": 0.5}, samples=8)
    before = content(tmp_path)
    with pytest.raises(RunError, match="the numbers of a monitored loop up to step 20"):
        check_model_dir(tmp_path, resume=False)
    assert content(tmp_path) == before


def test_scores_of_checkpoints_that_are_gone_are_not_taken_back(tmp_path: Path) -> None:
    scores, refused = tmp_path / "train_eval_result_v2.txt", "has the scores of a run whose"
    scores.write_text('{"global_step": 10, "auc": 0.5}\n')
    with pytest.raises(RunError, match=refused):
        check_model_dir(tmp_path, resume=False)
    # A run that was killed during its first save has no checkpoint to resume from.
    (tmp_path / "pipeline.config").touch()
    check_model_dir(tmp_path, resume=False)
    scores.write_text('{"global_step": 10, "auc": 0.5}\n{"global_step": 20, "auc": 0.6}\n')
    with pytest.raises(RunError, match=refused):
        check_model_dir(tmp_path, resume=False)


@pytest.mark.parametrize("name", [MANIFEST, "__0_0.distcp"], ids=["run", "half a save"])
def test_storage_that_does_not_answer_lets_no_run_begin_in_anothers_place(
    tmp_path: Path, name: str
) -> None:
    checkpoint = make(tmp_path, 10)
    if name != MANIFEST:
        (checkpoint / MANIFEST).unlink()
        (checkpoint / name).touch()
    told = []
    for number in range(8):
        objects, asked = Objects(), itertools.count()
        for file in filter(Path.is_file, tmp_path.rglob("*")):
            objects.objects[f"bucket/run/{file.relative_to(tmp_path)}"] = file.read_bytes()

        def fail(kind: str, asked: Iterator[int] = asked, number: int = number) -> None:
            if next(asked) == number:
                raise OSError("503 SlowDown")

        objects.fails = fail
        try:
            check_model_dir(objects.path(), resume=False)
        except RunError as error:
            told.append(str(error))
    # A request that is not retried, and fails, is reported.
    assert any("cannot be read: 503 SlowDown" in each for each in told)
    if name == MANIFEST:
        rest = [each for each in told if "cannot be read: 503 SlowDown" not in each]
        assert len(told) == 8
        assert all("has a checkpoint of step 10; pass --resume" in each for each in rest)


def test_an_empty_directory_and_none_are_free(tmp_path: Path) -> None:
    check_model_dir(tmp_path, resume=False)
    check_model_dir(tmp_path / "none", resume=False)
