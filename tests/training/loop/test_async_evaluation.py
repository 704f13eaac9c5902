"""A checkpoint is scored while training continues; here without Ray."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from raymon.config import read_saved
from raymon.reporter import InProcessReporter, Reporter
from raymon.results import Evaluation, Notice
from raymon.sinks import EvaluationLines
from raymon.training.checkpoint.manifest import find_corruption, list_checkpoints, read_checkpoint
from raymon.training.input.inputs import evaluation_of_rank
from raymon.training.input.readers import features_of
from raymon.training.loop import async_evaluation
from raymon.training.loop.async_evaluation import evaluate_checkpoint
from tests.checkpoints import rewrite_manifest
from tests.training.test_run_in_process import run

CPU = torch.device("cpu")


@pytest.fixture
def scored(config_file: Path) -> Path:
    """A run of one rank, whose checkpoints were scored during training."""
    return run(config_file, "a")[0]


def test_the_score_is_that_of_an_evaluation_in_place_and_lands_in_all_its_places(
    scored: Path, tmp_path: Path
) -> None:
    checkpoint = list_checkpoints(scored)[0]
    reporter = Reporter(None, [EvaluationLines(tmp_path)], 1, math.inf)
    found = evaluate_checkpoint(
        read_saved(scored), checkpoint.path, InProcessReporter(reporter), {}, CPU
    )
    assert found == checkpoint.metrics
    (line,) = (tmp_path / "train_eval_result_v2.txt").read_text().splitlines()
    assert json.loads(line) == {"global_step": checkpoint.step, **found}
    news, _ = reporter.published()
    assert [p.step for p in news if isinstance(p, Evaluation)] == [checkpoint.step]
    # The scores are in the directory of the checkpoint too, which is as sound as before.
    rewrite_manifest(checkpoint.path, {"metrics": {}})
    again = read_checkpoint(checkpoint.path)
    assert again is not None
    assert again.metrics == found
    assert find_corruption(again) is None


def test_the_rows_of_all_ranks_are_scored_once_each(scored: Path) -> None:
    checkpoint = list_checkpoints(scored)[0]
    config = read_saved(scored)
    alone = evaluate_checkpoint(config, checkpoint.path, _nobody(), {}, CPU)
    features = features_of(config)
    readers = [evaluation_of_rank(config, features, {}, rank, 3) for rank in range(3)]
    rows = [batch.size for reader in readers if reader for batch in reader.epoch(0)]
    assert sum(rows) == 4000
    # As if three ranks had written it.
    rewrite_manifest(checkpoint.path, {"world_size": 3})
    of_three = evaluate_checkpoint(config, checkpoint.path, _nobody(), {}, CPU)
    assert of_three == pytest.approx(alone, rel=1e-6)


def test_a_checkpoint_that_cannot_be_scored_is_told_and_ends_nothing(scored: Path) -> None:
    checkpoint = list_checkpoints(scored)[0]
    config = read_saved(scored)
    config.eval_input_path = str(scored / "nothing")
    reporter = Reporter(None, [], 1, math.inf)
    found = evaluate_checkpoint(config, checkpoint.path, InProcessReporter(reporter), {}, CPU)
    assert found == {}
    (notice,) = [p.text for p in reporter.published()[0] if isinstance(p, Notice)]
    assert "model.ckpt-10: not scored: " in notice
    assert "nothing" in notice


def notice_of(scored: Path, device: torch.device) -> str:
    checkpoint = list_checkpoints(scored)[0]
    reporter = Reporter(None, [], 1, math.inf)
    link = InProcessReporter(reporter)
    assert evaluate_checkpoint(read_saved(scored), checkpoint.path, link, {}, device) == {}
    (notice,) = [p.text for p in reporter.published()[0] if isinstance(p, Notice)]
    assert "model.ckpt-10: not scored: " in notice
    return notice


def test_a_gpu_that_the_task_cannot_use_is_told(
    scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_evaluation, "why_no_gpu", lambda: "torch 2.9 finds no GPU")
    notice = notice_of(scored, torch.device("cuda"))
    assert "not scored: eval_config.resources has GPU, and torch 2.9 finds no GPU; " in notice


def test_want_of_memory_is_told_with_what_takes_it(
    scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_evaluation, "load_model", lambda *_, **__: torch.empty(1 << 50))
    notice = notice_of(scored, CPU)
    assert "out of memory of the host in an evaluation with batch_size 256, as " in notice
    assert "the largest tensors are " in notice


def test_a_task_that_dies_again_and_again_is_given_up(scored: Path) -> None:
    checkpoint = list_checkpoints(scored)[0]
    config = read_saved(scored)
    (checkpoint.path / "evaluations.begun").write_text("4")
    assert evaluate_checkpoint(config, checkpoint.path, _nobody(), {}, CPU) == checkpoint.metrics
    (checkpoint.path / "evaluations.begun").write_text("5")
    reporter = Reporter(None, [], 1, math.inf)
    assert evaluate_checkpoint(config, checkpoint.path, InProcessReporter(reporter), {}, CPU) == {}
    (notice,) = [p.text for p in reporter.published()[0] if isinstance(p, Notice)]
    assert "its evaluation died 5 times" in notice


def _nobody() -> InProcessReporter:
    return InProcessReporter(Reporter(None, [], 1, math.inf))
