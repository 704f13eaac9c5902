"""Callbacks in real trainings: several processes of torchrun, kills, restarts; the examples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import raymon
from tests.integrations.lines import evaluations, summary, windows

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

LOOP = Path(__file__).with_name("callback_loops.py")
EXAMPLES = Path(raymon.__file__).parent / "examples" / "loops"
LIBRARIES = ("lightning", "transformers", "accelerate", "keras")
STEPS, ROWS = 60, 64


def run(directory: Path, ranks: int, library: str, *arguments: str, **options: Any) -> int:
    """Runs a training on so many processes of torchrun, and returns its exit code."""
    options = {
        "directory": str(directory),
        "library": library,
        "steps": STEPS,
        "window": STEPS,
        **options,
    }
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    command = [sys.executable, *launch, *arguments, str(LOOP), json.dumps(options)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(LOOP.parents[2])}
    with (directory / "log").open("w") as log:
        done = subprocess.run(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, timeout=400, check=False
        )
    return done.returncode


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_auc_is_that_of_all_scores_of_all_ranks(
    tmp_path: Path, library: str, ranks: int
) -> None:
    assert run(tmp_path, ranks, library) == 0, (tmp_path / "log").read_text()
    last = windows(tmp_path / "run")[-1]
    assert last["global_step"] == STEPS
    assert last["ranks"] == last["world_size"] == ranks
    assert last["samples_total"] == ranks * ROWS * STEPS
    parts = [np.load(tmp_path / f"scores-{rank}.npz") for rank in range(ranks)]
    labels, scores = (np.concatenate([part[n] for part in parts]) for n in ("labels", "scores"))
    assert len(labels) == ranks * ROWS * STEPS
    error = abs(last["metrics"]["auc"] - roc_auc_score(labels, scores))
    assert error <= last["metric_bounds"]["auc"] + 1e-12
    loss = -np.mean(labels * np.log(scores) + (1 - labels) * np.log(1 - scores))
    assert last["losses"]["loss"] == pytest.approx(loss, rel=1e-4)
    for rank in range(ranks):
        assert (tmp_path / f"failures-{rank}").read_text() == "0"
    if library in ("lightning", "accelerate"):
        assert last["scalars"]["rank"] == pytest.approx((ranks - 1) / 2)
    assert summary(tmp_path / "run")["status"] == "done"
    # Each process validates once, and one line is written.
    assert len(evaluations(tmp_path / "run")) == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_rank_that_is_killed_is_named_and_what_it_measured_stays(
    tmp_path: Path, library: str
) -> None:
    batches = 35 * (2 if library == "transformers" else 1)
    assert run(tmp_path, 2, library, window=10, dies=[1, batches]) != 0
    found = windows(tmp_path / "run")
    assert [line["global_step"] for line in found][:3] == [10, 20, 30]
    assert {line["ranks"] for line in found[:3]} == {2}
    alerts = (tmp_path / "run" / "monitor" / "alerts.jsonl").read_text().splitlines()
    gone = [a for a in map(json.loads, alerts) if a["kind"] == "rank_gone" and not a["is_over"]]
    assert [alert["rank"] for alert in gone] == [1]
    assert f"pid {(tmp_path / 'has died').read_text()}" in gone[0]["text"]


def test_a_training_of_lightning_goes_on_after_torchrun_started_it_again(tmp_path: Path) -> None:
    code = run(tmp_path, 2, "lightning", "--max-restarts", "1", window=10, dies=[1, 47])
    assert code == 0, (tmp_path / "log").read_text()
    attempts = summary(tmp_path / "run")["attempts"]
    assert [(attempt["attempt"], attempt["step"]) for attempt in attempts] == [(1, 0), (2, 40)]
    found = windows(tmp_path / "run")
    assert [line["global_step"] for line in found] == [10, 20, 30, 40, 50, 60]
    assert found[-1]["samples_total"] == 2 * ROWS * STEPS
    assert summary(tmp_path / "run")["status"] == "done"


@pytest.mark.parametrize("library", ["transformers", "accelerate", "keras", "torchrun"])
def test_an_example_runs_from_an_empty_folder(tmp_path: Path, library: str) -> None:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = str(EXAMPLES / f"with_{library}.py")
    command = [*(launch if library == "torchrun" else []), script, str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr
    assert windows(tmp_path / "run")[-1]["metrics"]["auc"] > 0.6
    assert summary(tmp_path / "run")["status"] == "done"


def test_lightning_works_in_workers_of_ray_train(ray_address: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "with_ray_train.py"), str(tmp_path)],
        env={**os.environ, "RAY_ADDRESS": ray_address, "PYTHONPATH": str(LOOP.parents[2])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    last = windows(tmp_path / "watched")[-1]
    assert last["ranks"] == 2
    assert last["metrics"]["auc"] > 0.6
