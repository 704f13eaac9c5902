"""`eval_config.mode: ASYNC`: a task of Ray scores checkpoints while training goes on."""

from __future__ import annotations

import json
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.integration import kills

SETTINGS = (
    "train_config.num_epochs=4",
    "train_config.save_checkpoints_steps=20",
    "train_config.keep_checkpoint_max=1",
    # Both workers together hold the four CPUs of the cluster.
    "ray_config.resources_per_worker.CPU=2",
)
BESIDE = (*SETTINGS, "eval_config.mode=ASYNC")
VALIDATION = "run_validation_fn"


def lines(run: Path) -> list[dict]:
    text = (run / "train_eval_result_v2.txt").read_text()
    return sorted(map(json.loads, text.splitlines()), key=lambda line: line["global_step"])


def test_scores_are_those_of_an_evaluation_in_place_however_often_its_task_is_killed(
    ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for directory in (here, there):
        directory.mkdir()
    expected = kills.finish(kills.start(here, click_log, ray_address, *SETTINGS))
    training = kills.start(there, click_log, ray_address, *BESIDE)
    kills.wait_for(lambda: bool(kills.processes(VALIDATION)), training)
    kills.kill(VALIDATION)
    summary = kills.finish(training)
    runs = [directory / "run" for directory in (there, here)]
    scores = [lines(run) for run in runs]
    assert scores[0] == scores[1]
    assert [line["global_step"] for line in scores[0]] == [20, 40, 60, 80]
    curves = [EventAccumulator(str(run / "eval_val")).Reload() for run in runs]
    points = [[(p.step, p.value) for p in curve.Scalars("metric/auc")] for curve in curves]
    assert points[0] == points[1]
    for name in ("eval_metrics", "best_metrics"):
        assert summary[name] == expected[name], name
    # The best one and the latest are kept, by scores that came later.
    kept = [[checkpoint.step for checkpoint in list_checkpoints(run)] for run in runs]
    assert kept[0] == kept[1]
    assert len({Path(s["best_checkpoint"]).name for s in (summary, expected)}) == 1
