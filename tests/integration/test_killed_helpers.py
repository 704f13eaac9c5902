"""`eval_config.mode: ASYNC`: a task of Ray scores checkpoints while training goes on."""

from __future__ import annotations

import json
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.integration import kills

ASYNC = (
    "eval_config.mode=ASYNC",
    "train_config.keep_checkpoint_max=1",
    # Both workers together hold the four CPUs of the cluster.
    "ray_config.resources_per_worker.CPU=2",
)
VALIDATION = "run_validation_fn"


def lines(run: Path) -> list[dict]:
    text = (run / "train_eval_result_v2.txt").read_text()
    return sorted(map(json.loads, text.splitlines()), key=lambda line: line["global_step"])


def test_scores_are_those_of_an_evaluation_in_place_however_often_its_task_is_killed(
    left_alone: tuple[Path, dict], ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    in_place, expected = left_alone
    run = tmp_path / "run"
    training = kills.start(tmp_path, click_log, ray_address, *ASYNC)
    kills.wait_for(lambda: bool(kills.processes(VALIDATION)), training)
    kills.kill(VALIDATION)
    summary = kills.finish(training)
    assert lines(run) == lines(in_place)
    saved = list(range(kills.SAVED_EVERY, kills.STEPS + 1, kills.SAVED_EVERY))
    assert [line["global_step"] for line in lines(run)] == saved
    curves = [EventAccumulator(str(each / "eval_val")).Reload() for each in (run, in_place)]
    points = [[(p.step, p.value) for p in curve.Scalars("metric/auc")] for curve in curves]
    assert points[0] == points[1]
    for name in ("eval_metrics", "best_metrics"):
        assert summary[name] == expected[name], name
    # The best one and the latest are kept, by scores that came later.
    best = Path(expected["best_checkpoint"]).name
    assert Path(summary["best_checkpoint"]).name == best
    kept = {checkpoint.path.name for checkpoint in list_checkpoints(run)}
    assert kept == {best, f"model.ckpt-{kills.STEPS}"}
