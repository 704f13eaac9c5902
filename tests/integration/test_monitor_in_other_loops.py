"""`raymon.Monitor` in the user's own loop, on two workers of Ray Train."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

import raymon
from tests.installed import installed_python
from tests.integration import watched_loop
from tests.training.decayed import Rows, decayed_auc

EXAMPLE = Path(raymon.__file__).parent / "examples" / "monitor_ray_train.py"


def run_script(script: Path, storage: Path | str, address: str, *more: str) -> str:
    finished = subprocess.run(
        [installed_python(), script, storage, *more],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "RAY_ADDRESS": address, "PYTHONPATH": os.getcwd()},
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout + finished.stderr


def read_lines(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "monitor/windows.jsonl").read_text().splitlines()]


def read_summary(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


def reporters() -> list[str]:
    from ray.util import list_named_actors

    actors = list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in actors if actor["name"].startswith("raymon-reporter:")]


def test_the_example_shows_the_numbers_of_both_workers(ray_address: str, tmp_path: Path) -> None:
    said = run_script(EXAMPLE, tmp_path, ray_address)
    assert "INFO Attempt 1: 2 ranks train from step 0" in said
    assert not any(str(tmp_path) in name for name in reporters())

    lines = read_lines(tmp_path / "watched")
    assert [line["global_step"] for line in lines] == [100, 200, 300, 400, 500]
    assert {(line["ranks"], line["world_size"]) for line in lines} == {(2, 2)}
    assert [line["samples"] for line in lines] == [400_000] * 5
    summary = read_summary(tmp_path / "watched")
    assert [summary[name] for name in ("status", "steps", "workers", "total_steps")] == [
        "done", 500, 2, 500,
    ]  # fmt: skip
    assert not (tmp_path / "watched" / "run.lock").exists()
    rows, losses = train_both_ranks_of_the_example()
    folds = [rows[200 * fold : 200 * (fold + 1)] for fold in range(5)]
    for number, line in enumerate(lines):
        mean = sum(losses[200 * number : 200 * (number + 1)]) / 200
        assert line["losses"]["bce"] == pytest.approx(mean, rel=1e-4)
    assert lines[0]["metrics"]["auc"] == pytest.approx(decayed_auc(folds[:1], 0.9), abs=1e-4)
    assert lines[-1]["metrics"]["auc"] == pytest.approx(decayed_auc(folds, 0.9), abs=1e-4)


def train_both_ranks_of_the_example() -> tuple[list[Rows], list[float]]:
    """Does what the example does in one process: rows and losses, by step and rank."""
    models, random = [], []
    for rank in (0, 1):
        torch.manual_seed(rank)
        models.append(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)))
        random.append(torch.get_rng_state())
    model = models[0]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
    rows, losses = [], []
    for _ in range(500):
        optimizer.zero_grad()
        for rank in (0, 1):
            torch.set_rng_state(random[rank])
            x = torch.randn(2000, 64)
            y = torch.bernoulli(torch.sigmoid(8 * x.mean(1) - 3))
            random[rank] = torch.get_rng_state()
            logits = model(x).squeeze(1)
            loss = binary_cross_entropy_with_logits(logits, y)
            (loss / 2).backward()
            rows.append((logits.detach().sigmoid(), y))
            losses.append(loss.item())
        optimizer.step()
    return rows, losses


def test_kills_and_restarts_change_no_number(ray_address: str, tmp_path: Path) -> None:
    run_script(Path(watched_loop.__file__), tmp_path, ray_address)
    assert not any(str(tmp_path) in name for name in reporters())
    watched_loop.watch_in_one_process(tmp_path / "undisturbed")

    lines, expected = read_lines(tmp_path / "watched"), read_lines(tmp_path / "undisturbed")
    for name in ("global_step", "samples", "samples_total", "losses", "metrics"):
        assert [line[name] for line in lines] == [line[name] for line in expected], name
    assert [line["ranks"] for line in lines] == [2] * 7 + [1]
    for rank in (0, 1):
        result = json.loads((tmp_path / f"rank-{rank}.json").read_text())
        assert result["arrived"]
    summary = read_summary(tmp_path / "watched")
    assert (summary["status"], summary["error"], summary["steps"]) == ("done", None, 75)
    first, second = summary["attempts"]
    assert (first["step"], second["step"], second["end_step"]) == (0, 20, 75)
    assert first["failure"] is not None
    for rank in (0, 1):
        result = json.loads((tmp_path / f"rank-{rank}.json").read_text())
        assert result["auc"] == expected[-1]["metrics"]["auc"]
