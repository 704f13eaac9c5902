"""Sweeps by Ray Tune: pruned, killed, resumed, exploited, with workers; their numbers are true."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raymon.runs import Run
from tests.integration.conftest import start_raymon

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

LR = "train_config.dense_optimizer.adam_optimizer.lr"
RANGE = f'parameters {{ path: "{LR}" loguniform {{ low: 1e-5 high: 1e-1 }} }}\n'
LASTING = 900.0


def start(space: str, config: Path, *more: object, epochs: int = 4) -> subprocess.Popen[str]:
    path = config.parent / "my.space"
    path.write_text(space)
    length = ("--set", f"train_config.num_epochs={epochs}")
    return start_raymon("tune", path, config, *length, *more)


def result_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = process.communicate(timeout=LASTING)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    return dict(json.loads(output))


def wait_for(sweep: Path, happened: Callable[[list[dict[str, Any]]], bool]) -> None:
    deadline = time.monotonic() + LASTING
    while time.monotonic() < deadline:
        if sweep.exists() and happened(json.loads(sweep.read_text())["trials"]):
            return
        time.sleep(0.2)
    raise AssertionError(sweep.read_text())


def lines_of(trial: dict[str, Any]) -> dict[int, float]:
    lines = Path(trial["directory"], "monitor", "evaluations.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return {line["global_step"]: line["metrics"]["auc"] for line in found}


def check(result: dict[str, Any]) -> None:
    """Checks that the numbers of the sweep are those of the files of its runs."""
    for trial in result["trials"]:
        scores = lines_of(trial)
        assert trial["best_value"] == max(scores.values())
        assert scores[trial["best_step"]] == trial["best_value"]
        assert trial["last_value"] == scores[max(scores)]
    values = [trial["best_value"] for trial in result["trials"]]
    assert values == sorted(values, reverse=True)
    assert result["best"] == result["trials"][0]["trial"]


def test_a_sweep_prunes_and_goes_on_after_a_kill(config_file: Path) -> None:
    space = f"num_trials: 8 asha {{ grace_period: 20 reduction_factor: 2 }} {RANGE}"
    more = ("--num-workers", 0, "--json")
    sweep = config_file.parent / "run" / "sweep.json"
    killed = start(space, config_file, *more)
    wait_for(sweep, lambda trials: sum(t["status"] in ("done", "pruned") for t in trials) >= 2)
    killed.kill()
    killed.communicate()
    before = {t["trial"]: t for t in json.loads(sweep.read_text())["trials"]}
    over = {name for name, t in before.items() if t["status"] in ("done", "pruned")}
    files = {name: Path(before[name]["directory"], "run.json").stat().st_mtime_ns for name in over}
    result = result_of(start(space, config_file, *more, "--resume"))
    statuses = {trial["trial"]: trial["status"] for trial in result["trials"]}
    assert set(statuses.values()) <= {"done", "pruned"}
    assert "pruned" in statuses.values()
    check(result)
    for trial in result["trials"]:
        name = trial["trial"]
        assert trial["values"] == before[name]["values"]
        if name in over:
            assert Path(trial["directory"], "run.json").stat().st_mtime_ns == files[name]
        run = Run(trial["directory"])
        assert run.status == ("stopped" if trial["status"] == "pruned" else "done")
        steps = run.series.step.tolist()
        assert steps == sorted(set(steps))
    assert (sweep.parent / "sweep.svg").read_text().startswith("<svg")
    assert not (sweep.parent / ".tune").exists()


def test_a_population_goes_on_from_its_best(config_file: Path) -> None:
    space = f"num_trials: 4 pbt {{ perturbation_interval: 20 quantile_fraction: 0.5 }} {RANGE}"
    result = result_of(start(space, config_file, "--num-workers", 0, "--json", epochs=8))
    assert {trial["status"] for trial in result["trials"]} == {"done"}
    check(result)
    lineages = {trial["trial"]: trial["lineage"] for trial in result["trials"]}
    assert any({o["trial"] for o in parts} - {name} for name, parts in lineages.items())
    for trial in result["trials"]:
        windows = Path(trial["directory"], "monitor", "windows.jsonl").read_text().splitlines()
        parts = trial["lineage"]
        seen = 0
        for line in map(json.loads, windows):
            assert line["global_step"] > seen
            seen = line["global_step"]
            # The learning rate of each step is that of the part of the lineage that it is in.
            part = [each for each in parts if each["step"] < seen][-1]
            assert line["learning_rates"][1] == pytest.approx(part["values"][LR])
        assert seen == trial["steps"]


def test_trials_with_workers_take_turns_where_one_fits(config_file: Path) -> None:
    space = f"num_trials: 2 {RANGE}"
    result = result_of(start(space, config_file, "--num-workers", 2, "--json", epochs=2))
    assert {trial["status"] for trial in result["trials"]} == {"done"}
    check(result)
    for trial in result["trials"]:
        assert Run(trial["directory"]).summary["workers"] == 2


def test_what_cannot_be_is_said_in_one_line(config_file: Path) -> None:
    space = f"num_trials: 2 {RANGE}"
    process = start(space, config_file, "--num-workers", 500)
    output, errors = process.communicate(timeout=LASTING)
    assert process.returncode == 2
    assert "500 workers with 1 CPU each do not fit" in errors
    assert output == ""
    assert not (config_file.parent / "run").exists()
