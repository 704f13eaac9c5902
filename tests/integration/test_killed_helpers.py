"""A run whose helpers are killed: the task that scores checkpoints, and the reporter of the node.

`eval_config.mode: ASYNC` and `monitor_config.node_reporters_above` do not depend on each other.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def killed_helpers(
    ray_address: str, click_log: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict]:
    """The directory and the summary of the run."""
    directory = tmp_path_factory.mktemp("killed_helpers")
    run = directory / "run"
    node_reporters = "monitor_config.node_reporters_above=1"
    training = kills.start(directory, click_log, ray_address, *ASYNC, node_reporters)
    kills.wait_for(lambda: bool(kills.processes(VALIDATION)), training)
    kills.kill(VALIDATION)
    kills.wait_for(lambda: kills.reported_step(run) >= 100, training)
    kills.kill("NodeReportingActor")
    return run, kills.finish(training)


def test_reporters_on_nodes_change_no_number(
    left_alone: tuple[Path, dict], killed_helpers: tuple[Path, dict]
) -> None:
    run, summary = killed_helpers
    kills.assert_same_training(run, left_alone[0])
    assert summary["monitoring"]["windows_lost"] == 0


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
