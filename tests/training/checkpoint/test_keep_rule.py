"""Which checkpoints of a run are kept."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.config.saving import CONFIG_FILE
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.checkpoint.keep_rule import CheckpointCleanup, KeepRule
from raymon.training.checkpoint.manifest import (
    Checkpoint,
    list_checkpoints,
    write_checkpoint_scores,
)
from tests.training.checkpoint.test_ranking import make, steps

SCORES = {100: 0.7, 200: 0.9, 300: 0.8, 400: 0.6, 500: 0.5}


def config(model_dir: Path, keep: int, kind: str = "best") -> PipelineConfig:
    pipeline = PipelineConfig(model_dir=str(model_dir))
    pipeline.train_config.keep_checkpoint_max = keep
    pipeline.export_config.exporter_type = kind
    return pipeline


def kept(model_dir: Path, keep: int, kind: str, scores: dict[int, float]) -> list[int]:
    told: list[str] = []
    checkpoints = CheckpointCleanup(config(model_dir, keep, kind), False, told.append)
    for step, score in scores.items():
        make(model_dir, step, auc=score)
        checkpoints.run(step)
    assert told == []
    return steps(model_dir)


def test_type_latest_keeps_the_most_recent(tmp_path: Path) -> None:
    assert kept(tmp_path, 2, "latest", SCORES) == [400, 500]


def test_type_best_keeps_the_most_recent_and_the_best(tmp_path: Path) -> None:
    assert kept(tmp_path, 2, "best", SCORES) == [200, 400, 500]


def test_a_best_one_that_is_recent_is_one_of_them(tmp_path: Path) -> None:
    assert kept(tmp_path, 2, "best", {100: 0.1, 200: 0.2, 300: 0.9, 400: 0.3}) == [300, 400]


def test_zero_keeps_all(tmp_path: Path) -> None:
    assert kept(tmp_path, 0, "best", SCORES) == list(SCORES)


def test_a_score_that_is_not_a_number_is_never_best(tmp_path: Path) -> None:
    scores = {100: math.nan, 200: 0.7, 300: math.nan, 400: 0.5}
    assert kept(tmp_path, 1, "best", scores) == [200, 400]


@given(
    st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=12),
    st.integers(0, 5),
    st.sampled_from(["latest", "best"]),
    st.booleans(),
)
def test_what_stays_is_what_the_words_say(
    scores: list[float], count: int, kind: str, larger: bool
) -> None:
    pipeline = config(Path("/run"), count, kind)
    # A metric that knows its direction needs none in the config.
    name = pipeline.export_config.best_exporter_metric = "auc" if larger else "log_loss"
    checkpoints = [Checkpoint(Path("/run"), n, 0, {name: s}, 1) for n, s in enumerate(scores)]
    gone = {c.step for c in KeepRule.of(pipeline).obsolete(checkpoints)}
    stay = set(range(len(scores))) - gone
    recent = set(range(len(scores))[-count:] if count else range(len(scores)))
    numbers = [s for s in scores if not math.isnan(s)]
    ends = {"best": {(max if larger else min)(numbers)} if numbers else set(), "latest": set()}
    best = [n for n, s in enumerate(scores) if s in ends[kind]][-1:]
    assert stay == recent | set(best)


def test_one_whose_scores_are_still_to_come_stays_until_they_are_there(tmp_path: Path) -> None:
    told: list[str] = []
    checkpoints = CheckpointCleanup(config(tmp_path, 1), True, told.append)
    for step in (100, 200, 300):
        make(tmp_path, step)
        checkpoints.run(step)
    assert steps(tmp_path) == [100, 200, 300]
    write_checkpoint_scores(tmp_path / "model.ckpt-100", {"auc": 0.7})
    checkpoints.run(300)
    assert steps(tmp_path) == [100, 200, 300]
    write_checkpoint_scores(tmp_path / "model.ckpt-200", {"auc": 0.8})
    checkpoints.run(300)
    assert steps(tmp_path) == [200, 300]
    # An evaluation that failed has ended too.
    write_checkpoint_scores(tmp_path / "model.ckpt-300", {})
    make(tmp_path, 400, auc=0.9)
    checkpoints.run(400)
    assert steps(tmp_path) == [400]
    assert told == []


@pytest.mark.parametrize("keep", [0, 1])
def test_what_somebody_else_deletes_is_told_once(tmp_path: Path, keep: int) -> None:
    told: list[str] = []
    run = tmp_path / "run"
    checkpoints = CheckpointCleanup(config(run, keep), False, told.append)
    for step, score in {100: 0.9, 200: 0.5}.items():
        make(run, step, auc=score)
        checkpoints.run(step)
    shutil.rmtree(run / "model.ckpt-100")
    checkpoints.run(300)
    checkpoints.run(300)
    assert told == [
        f"{run}: the checkpoint of step 100 was deleted by somebody else; the run goes on"
    ]
    shutil.rmtree(run)
    make(run, 300, auc=0.1)
    checkpoints.run(300)
    assert told[1:] == [
        f"{run}: the checkpoint of step 200 was deleted by somebody else; the run goes on"
    ]
    # The files that a resume needs are there again.
    assert (run / CONFIG_FILE).is_file()
    assert [c.step for c in list_checkpoints(run)] == [300]


def test_those_from_before_the_run_went_back_do_not_count(tmp_path: Path) -> None:
    # The newest one was damaged; it must not be kept instead of a sound one.
    for step, score in {100: 0.5, 200: 0.9, 300: 0.8}.items():
        make(tmp_path, step, auc=score)
    checkpoints = CheckpointCleanup(config(tmp_path, 1), False, [].append)
    make(tmp_path, 150, auc=0.4)
    checkpoints.run(150)
    assert steps(tmp_path) == [100, 150, 200, 300]
