"""Monitors of real process groups: torchrun with DDP and FSDP, kills, restarts, two nodes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

pytestmark = pytest.mark.soak

LOOP = Path(__file__).with_name("torchrun_loop.py")
STEPS = 60


def start(options: dict[str, Any], *arguments: str) -> subprocess.Popen[str]:
    """Starts an agent of torchrun; its log goes to a file of the directory."""
    directory = Path(options["directory"])
    directory.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(LOOP.parents[2]),
        "RAYMON_LOG_LEVEL": "INFO",
    }
    name = f"log-{len(list(directory.glob('log-*')))}"
    with (directory / name).open("w") as log:
        launch = [sys.executable, "-m", "torch.distributed.run", *arguments]
        return subprocess.Popen(
            [*launch, str(LOOP), json.dumps(options)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )


def finish(agents: Sequence[subprocess.Popen[str]], directory: Path, code: int = 0) -> str:
    """Waits for agents, and returns what was logged."""
    try:
        codes = [agent.wait(240) for agent in agents]
    finally:
        for agent in agents:
            agent.kill()
    text = "\n".join(path.read_text() for path in sorted(directory.glob("log-*")))
    assert codes == [code] * len(codes), text
    return text


def run(directory: Path, *arguments: str, code: int = 0, **options: Any) -> str:
    options = {"directory": str(directory), "steps": STEPS, "kind": "ddp", **options}
    return finish([start(options, *arguments)], directory, code)


def lines(directory: Path, name: str = "windows") -> list[dict[str, Any]]:
    path = directory / "run" / "monitor" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def auc_of_all(directory: Path) -> float:
    """scikit-learn's AUC of the scores of all ranks."""
    parts = [np.load(path) for path in sorted(directory.glob("scores-*.npz"))]
    labels = np.concatenate([part["labels"].ravel() for part in parts])
    return float(roc_auc_score(labels, np.concatenate([part["scores"].ravel() for part in parts])))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def nodes(count: int) -> list[list[str]]:
    """Arguments of the agents of nodes, which are all on the loopback interface."""
    shared = ["--nproc-per-node", "1", "--master-addr", "127.0.0.1"]
    shared += ["--master-port", str(free_port()), "--nnodes", str(count)]
    return [[*shared, "--node-rank", str(node)] for node in range(count)]


ONE_NODE = ("--standalone", "--nproc-per-node")


@pytest.mark.parametrize(("kind", "ranks"), [("ddp", 2), ("ddp", 3), ("fsdp", 2), ("fsdp", 3)])
def test_the_auc_is_that_of_all_scores(tmp_path: Path, kind: str, ranks: int) -> None:
    text = run(tmp_path, *ONE_NODE, str(ranks), kind=kind, decay_step=STEPS)
    last = lines(tmp_path)[-1]
    assert last["ranks"] == last["world_size"] == ranks
    assert last["samples_total"] == ranks * 64 * STEPS
    error = abs(last["metrics"]["auc"] - auc_of_all(tmp_path))
    assert error <= last["metric_bounds"]["auc"] + 1e-12
    for rank in range(ranks):
        assert json.loads((tmp_path / f"closed-{rank}.json").read_text()) == [True, 0]
    assert "rank 0 alone" not in text
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "done"
    assert not (tmp_path / "not on this machine").exists()


def test_two_nodes_are_one_group(tmp_path: Path) -> None:
    options = {"directory": str(tmp_path), "steps": STEPS, "kind": "ddp", "decay_step": STEPS}
    finish([start(options, *arguments) for arguments in nodes(2)], tmp_path)
    last = lines(tmp_path)[-1]
    assert last["ranks"] == 2
    error = abs(last["metrics"]["auc"] - auc_of_all(tmp_path))
    assert error <= last["metric_bounds"]["auc"] + 1e-12


def numbers(directory: Path) -> list[tuple[Any, ...]]:
    return [(n["global_step"], n["losses"], n["metrics"], n["samples"]) for n in lines(directory)]


@pytest.mark.parametrize("dies", [[1, 47], [0, 47]])
def test_after_a_restart_by_the_agent_the_numbers_are_those_of_an_undisturbed_run(
    tmp_path: Path, dies: list[int]
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(whole, *ONE_NODE, "2")
    run(killed, *ONE_NODE, "2", "--max-restarts", "2", dies=dies)
    assert numbers(killed) == numbers(whole)
    attempts = json.loads((killed / "run" / "run.json").read_text())["attempts"]
    assert [(attempt["attempt"], attempt["step"]) for attempt in attempts] == [(1, 0), (2, 40)]
    if dies[0] == 1:
        alerts = lines(killed, "alerts")
        pid = (killed / "has died").read_text()
        named = [a for a in alerts if a["kind"] == "rank_gone" and not a["is_over"]]
        assert [alert["rank"] for alert in named] == [1]
        assert f"pid {pid}) is gone" in named[0]["text"]


def test_a_rank_that_dies_for_good_is_named_in_the_files_of_the_run(tmp_path: Path) -> None:
    run(tmp_path, *ONE_NODE, "3", code=1, dies=[2, 33])
    (alert,) = [a for a in lines(tmp_path, "alerts") if a["kind"] == "rank_gone"]
    assert alert["rank"] == 2
    assert f"({socket.gethostname()}, pid {(tmp_path / 'has died').read_text()})" in alert["text"]


def test_a_run_may_go_on_with_another_number_of_ranks(tmp_path: Path) -> None:
    run(tmp_path, *ONE_NODE, "3", code=1, dies=[2, 47])
    run(tmp_path, *ONE_NODE, "2")
    assert [(n["global_step"], n["ranks"]) for n in lines(tmp_path)] == [
        (10, 3),
        (20, 3),
        (30, 3),
        (40, 3),
        (50, 2),
        (60, 2),
    ]
