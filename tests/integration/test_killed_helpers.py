"""A run whose processes are killed: all of its helpers, and a worker.

They are the task that scores checkpoints, the reporters of the node and of the run, a worker and
the controller, each once the run has gone on since the one before; the driver is killed in
`test_train.py`, and all of them at random moments, in `make soak`. `eval_config.mode: ASYNC` and
`monitor_config.node_reporters_above` do not depend on each other.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.integration import kills
from tests.integration.random_kills import assert_sound

ASYNC = (
    "eval_config.mode=ASYNC",
    "train_config.keep_checkpoint_max=1",
    # Both workers together hold the four CPUs of the cluster.
    "ray_config.resources_per_worker.CPU=2",
)
VALIDATION = "run_validation_fn"

NODE_REPORTERS = "monitor_config.node_reporters_above=1"

VICTIMS = (
    ("NodeReportingActor",),
    ("ReportingActor",),
    ("RayTrainWorker",),
    ("ReportingActor", "RayTrainWorker"),
    ("TrainController",),
)
"""The titles of the processes that are killed, one group after the other."""


def lines(run: Path) -> list[dict]:
    text = (run / "train_eval_result_v2.txt").read_text()
    return sorted(map(json.loads, text.splitlines()), key=lambda line: line["global_step"])


@pytest.fixture(scope="module")
def killed_helpers(
    ray_address: str, click_log: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict]:
    """The directory and the summary of the run."""
    directory = tmp_path_factory.mktemp("killed_helpers")
    run = directory / "run"
    more = (*ASYNC, NODE_REPORTERS)
    training = kills.start(directory, click_log, ray_address, *more)
    kills.wait_for(lambda: bool(kills.processes(VALIDATION)), training)
    kills.kill(VALIDATION)
    shown = 0
    for titles in VICTIMS:
        kills.wait_for(lambda shown=shown: kills.reported_step(run) not in (0, shown), training)
        kills.wait_for(lambda titles=titles: all(map(kills.processes, titles)), training)
        shown = kills.reported_step(run)
        for title in titles:
            kills.kill(title)
    _, errors = training.communicate(timeout=120)
    assert training.returncode == 1, errors
    assert_sound(run)
    resumed = kills.start(directory, click_log, ray_address, *more, flags=["--resume"])
    return run, kills.finish(resumed)


def test_no_kill_changes_a_number(
    left_alone: tuple[Path, dict], killed_helpers: tuple[Path, dict]
) -> None:
    (run, summary), (other, expected) = killed_helpers, left_alone
    kills.assert_same_training(run, other)
    assert summary["status"] == "done"
    assert summary["samples"] == expected["samples"]
    for name in ("windows_lost", "steps_reported", "windows"):
        assert summary["monitoring"][name] == expected["monitoring"][name], name


def test_scores_are_those_of_an_evaluation_in_place_however_often_its_task_is_killed(
    left_alone: tuple[Path, dict], killed_helpers: tuple[Path, dict]
) -> None:
    (run, summary), (in_place, expected) = killed_helpers, left_alone
    assert lines(run) == lines(in_place)
    saved = list(range(kills.SAVED_EVERY, kills.STEPS + 1, kills.SAVED_EVERY))
    assert [line["global_step"] for line in lines(run)] == saved
    kills.assert_same_curve(run, in_place, "eval_val", "metric/auc")
    for name in ("eval_metrics", "best_metrics"):
        assert summary[name] == expected[name], name
    # The best one and the latest are kept, by scores that came later.
    best = Path(expected["best_checkpoint"]).name
    assert Path(summary["best_checkpoint"]).name == best
    kept = {checkpoint.path.name for checkpoint in list_checkpoints(run)}
    assert kept == {best, f"model.ckpt-{kills.STEPS}"}
