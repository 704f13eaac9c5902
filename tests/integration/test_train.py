"""The main job, by the command line, on a real Ray cluster with 2 workers."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.checkpoints import saved_model
from tests.conftest import CONFIG
from tests.integration import kills
from tests.integration.conftest import run_raymon, start_raymon

STEPS = 40  # 2 epochs of 10,000 rows in batches of 2 x 256


@pytest.fixture(scope="module")
def undisturbed(
    ray_address: str, click_log: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """An undisturbed run: its directory, and the output of its process."""
    config = write_config(tmp_path_factory.mktemp("undisturbed"), click_log)
    finished = run_raymon("train", config, "--json", address=ray_address)
    assert finished.returncode == 0, finished.stderr
    return config.parent / "run", finished


def write_config(directory: Path, click_log: Path) -> Path:
    """The config of a run that any number of workers goes on with."""
    config = directory / "click.config"
    text = CONFIG.format(data=click_log, model_dir=directory / "run")
    config.write_text(text.replace("batch_size: 256", "global_batch_size: 512"))
    return config


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def final_weights(run: Path) -> dict[str, torch.Tensor]:
    return saved_model(run / f"model.ckpt-{STEPS}")


def assert_same_result(run: Path, other: Path) -> None:
    weights, expected = final_weights(run), final_weights(other)
    assert weights.keys() == expected.keys()
    for name, weight in weights.items():
        assert torch.equal(weight, expected[name]), name
    for file in ("monitor/windows.jsonl", "train_eval_result_v2.txt"):
        lines, expected_lines = read_lines(run / file), read_lines(other / file)
        assert [line["global_step"] for line in lines] == [
            line["global_step"] for line in expected_lines
        ]
        assert lines[-1].get("metrics") == expected_lines[-1].get("metrics")
        assert lines[-1].get("auc") == expected_lines[-1].get("auc")


def test_a_run_leaves_what_people_look_for(undisturbed) -> None:
    run, finished = undisturbed
    summary = json.loads(finished.stdout)
    assert summary == json.loads((run / "run.json").read_text())
    assert (summary["status"], summary["steps"], summary["epochs"]) == ("done", STEPS, 2)
    assert summary["samples"] == 20_000
    assert summary["samples_per_second"] > 0
    assert summary["monitoring"]["windows_lost"] == 0
    assert {"auc", "grouped_auc", "normalized_entropy"} < set(summary["eval_metrics"])
    assert "num_epochs: 2" in (run / "pipeline.config").read_text()
    assert (run / "version").read_text().strip()
    assert [c.step for c in list_checkpoints(run)] == [20, 40]


def test_progress_is_the_clusters_and_is_said_once(undisturbed) -> None:
    _, finished = undisturbed
    progress = [line for line in finished.stderr.splitlines() if "Training Epoch" in line]
    assert f"Training Epoch 1: {STEPS}it" in progress[-1]
    assert "ranks:2/2" in progress[-1]
    for part in ("lr_g0:", "binary_cross_entropy:", "total_loss:", "auc:", "samples/s:"):
        assert part in progress[-1]
    evaluations = [line for line in finished.stderr.splitlines() if "Evaluation at step" in line]
    assert len(evaluations) == 2


def test_a_user_sees_the_lines_of_raymon_alone(undisturbed) -> None:
    _, finished = undisturbed
    assert all(" INFO " in line for line in finished.stderr.splitlines()), finished.stderr


def test_windows_cover_all_steps_of_both_ranks(undisturbed) -> None:
    run, _ = undisturbed
    windows = read_lines(run / "monitor" / "windows.jsonl")
    assert [(w["first_step"], w["global_step"]) for w in windows] == [
        (begin, begin + 10) for begin in range(0, STEPS, 10)
    ]
    assert sum(w["samples"] for w in windows) == windows[-1]["samples_total"] == 20_000
    assert all(w["ranks"] == w["world_size"] == 2 for w in windows)


def test_tensorboard_reads_the_curves(undisturbed) -> None:
    run, _ = undisturbed
    train = EventAccumulator(str(run)).Reload()
    assert [p.step for p in train.Scalars("loss/total")] == list(range(10, STEPS + 1, 10))
    tags = set(train.Tags()["scalars"])
    assert {"loss/binary_cross_entropy", "lr/g0", "lr/g1", "metric/auc"} <= tags
    evaluation = EventAccumulator(str(run / "eval_val")).Reload()
    assert [p.step for p in evaluation.Scalars("metric/auc")] == [20, 40]


def test_the_best_checkpoint_is_the_one_with_the_best_score(undisturbed) -> None:
    run, _ = undisturbed
    lines = read_lines(run / "train_eval_result_v2.txt")
    best = max(lines, key=lambda line: line["auc"])["global_step"]
    finished = run_raymon("best", run)
    assert finished.stdout.strip() == str(run / f"model.ckpt-{best}")


def test_an_evaluation_of_a_checkpoint_repeats_its_scores(undisturbed, ray_address: str) -> None:
    run, _ = undisturbed
    first = read_lines(run / "train_eval_result_v2.txt")[0]
    finished = run_raymon(
        "evaluate", run, "--checkpoint", first["global_step"], "--json", address=ray_address
    )
    assert finished.returncode == 0, finished.stderr
    scores = json.loads(finished.stdout)
    assert scores == pytest.approx(first)
    in_process = run_raymon("evaluate", run, "--checkpoint", "20", "--num-workers", "0", "--json")
    again = json.loads(in_process.stdout)
    # Another number of threads rounds otherwise: rows that nearly tie change places.
    for name in ("auc", "grouped_auc"):
        assert again.pop(name) == pytest.approx(first.pop(name), abs=2e-3)
    assert again == pytest.approx(first, rel=1e-6)


@pytest.fixture(scope="module")
def killed(
    ray_address: str, click_log: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The config of a run that was killed half way, and a copy of its directory."""
    config = write_config(tmp_path_factory.mktemp("killed"), click_log)
    run = config.parent / "run"
    process = start_raymon("train", config, address=ray_address)
    # Slow enough to be caught between the first checkpoint and the end.
    wait_for(lambda: 20 in [c.step for c in list_checkpoints(run)], process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    # Ray ends the workers of a driver that is gone.
    while kills.processes("RayTrainWorker"):
        time.sleep(0.05)
    return config, Path(shutil.copytree(run, config.parent / "copy"))


def test_a_run_that_is_killed_half_way_goes_on_as_if_nothing_had_happened(
    undisturbed, killed, ray_address: str
) -> None:
    config, _ = killed
    run = config.parent / "run"
    resumed = run_raymon("train", config, "--resume", address=ray_address)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_result(run, undisturbed[0])
    points = EventAccumulator(str(run)).Reload().Scalars("loss/total")
    assert [p.step for p in points] == list(range(10, STEPS + 1, 10))

    # There is nothing left to do.
    finished = run_raymon("train", config, "--resume", "--num-workers", "0")
    assert finished.returncode == 0, finished.stderr
    assert_same_result(run, undisturbed[0])


def test_one_worker_goes_on_with_a_run_that_two_were_killed_in(undisturbed, killed) -> None:
    # One in the process of the command, where the two on Ray cannot be found any more.
    config, run = killed
    moved = ("--set", f"model_dir={run}")
    resumed = run_raymon("train", config, *moved, "--resume", "--num-workers", "0")
    assert resumed.returncode == 0, resumed.stderr

    weights, expected = final_weights(run), final_weights(undisturbed[0])
    for name, weight in weights.items():
        torch.testing.assert_close(weight, expected[name], rtol=0, atol=1e-5, msg=name)
    lines, expected_lines = (
        read_lines(directory / "train_eval_result_v2.txt") for directory in (run, undisturbed[0])
    )
    assert [line["global_step"] for line in lines] == [20, 40]
    for line, other in zip(lines, expected_lines, strict=True):
        assert line["auc"] == pytest.approx(other["auc"], abs=1e-4)
        assert line["binary_cross_entropy"] == pytest.approx(
            other["binary_cross_entropy"], abs=1e-5
        )
    windows, expected_windows = (
        read_lines(directory / "monitor" / "windows.jsonl") for directory in (run, undisturbed[0])
    )
    assert [w["samples"] for w in windows] == [w["samples"] for w in expected_windows]


def test_training_does_not_wait_for_a_reporter_that_hangs(
    undisturbed, ray_address: str, click_log: Path, tmp_path: Path
) -> None:
    import ray

    from raymon.reporter.on_ray.actor import actor_name

    run = tmp_path / "run"
    training = start_raymon("train", write_config(tmp_path, click_log), address=ray_address)

    def reporter_process() -> int | None:
        try:
            name = actor_name(str(run))
            return ray.get(ray.get_actor(name, namespace=name).process_id.remote(), timeout=10)
        except (ValueError, ray.exceptions.RayError):
            return None

    wait_for(lambda: (run / "monitor" / "windows.jsonl").exists(), training)
    pid = reporter_process()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        shown = len(read_lines(run / "monitor" / "windows.jsonl"))
        # Steps, an evaluation and saves go by while the reporter can do nothing.
        wait_for(lambda: STEPS in [c.step for c in list_checkpoints(run)], training)
        assert len(read_lines(run / "monitor" / "windows.jsonl")) == shown
        # So long that its driver has waited in vain.
        assert training.stderr is not None
        assert any("The reporter does not answer" in line for line in training.stderr)
    finally:
        os.kill(pid, signal.SIGCONT)
    _, errors = training.communicate(timeout=120)
    assert training.returncode == 0, errors
    assert json.loads((run / "run.json").read_text())["monitoring"]["windows_lost"] == 0
    assert_same_result(run, undisturbed[0])
