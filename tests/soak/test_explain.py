"""Faults planted in real runs on Ray get the right verdict, within two windows; clean ones none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import raymon
from raymon.config import allow_custom_classes
from raymon.runs import explain_run
from raymon.storage import storage_path
from tests.soak.sleepers import SleepingDataset

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

A_WINDOW, USUAL_S, SLOW_S = 100, 0.03, 0.06

CONFIG = """
model_dir: "{run}"
train_config {{
  dense_optimizer {{ sgd_optimizer {{ lr: 0.1 }} }}
  num_steps: {steps}
  log_step_count_steps: {window}
}}
data_config {{ fg_mode: FG_DAG batch_size: 256 label_fields: "click" num_workers: 1 }}
feature_configs {{ raw_feature {{ feature_name: "price" expression: "item:price" }} }}
model_config {{
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: "price" }}
  custom {{
    class_path: "tests.soak.sleepers:SleepingModel"
    kwargs {{ key: "usual_s" value: "{usual_s}" }}
    kwargs {{ key: "slow_s" value: "{slow_s}" }}
    kwargs {{ key: "rank" value: "1" }}
    kwargs {{ key: "step" value: "{step}" }}
  }}
  losses {{ binary_cross_entropy {{}} }}
}}
ray_config {{ num_workers: 2 }}
"""


@pytest.fixture(autouse=True)
def own_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    allow_custom_classes()


def train(
    directory: Path,
    steps: int,
    *,
    usual_s: float = USUAL_S,
    slow_s: float = USUAL_S,
    from_step: int = 0,
    reading: dict[int, float] | None = None,
) -> tuple[Any, list[dict[str, Any]]]:
    """Trains, and returns the verdict and the alerts of stragglers."""
    config, run = directory / "run.config", directory / "run"
    config.write_text(
        CONFIG.format(
            run=run,
            steps=steps,
            window=A_WINDOW,
            usual_s=usual_s,
            slow_s=slow_s,
            step=from_step,
        )
    )
    datasets = {"train": SleepingDataset(2 * steps, reading or {})}
    summary = raymon.train(config, datasets=datasets)
    path = run / "monitor" / "alerts.jsonl"
    alerts = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    verdict = explain_run(storage_path(run))
    assert summary.verdict == verdict.short
    print(f"\n{verdict.text}\n  {verdict.budget}")
    return verdict, [alert for alert in alerts if alert["kind"] == "straggler"]


def test_sleep_in_forward_of_one_rank_from_a_step_on(ray_address: str, tmp_path: Path) -> None:
    verdict, alerts = train(tmp_path, 900, slow_s=SLOW_S, from_step=600)
    finding = verdict.findings[0]
    assert (verdict.kind, finding.rank, finding.phase) == ("straggler", 1, "forward")
    assert finding.first_step == 600
    assert finding.host
    assert finding.cost == pytest.approx(512 / 0.03 - 512 / 0.06, rel=0.3)
    first = alerts[0]
    assert (first["rank"], first["phase"], first["first_step"]) == (1, "forward", 600)
    assert first["global_step"] <= 600 + 2 * A_WINDOW


def test_a_slow_reader_of_one_rank(ray_address: str, tmp_path: Path) -> None:
    verdict, alerts = train(tmp_path, 500, usual_s=0.02, slow_s=0.02, reading={0: 0.06})
    finding = verdict.findings[0]
    assert (verdict.kind, finding.rank, finding.phase) == ("straggler", 0, "data")
    assert alerts[0]["rank"] == 0


def test_a_dataset_that_is_slow_on_all_ranks(ray_address: str, tmp_path: Path) -> None:
    verdict, alerts = train(tmp_path, 200, usual_s=0.01, slow_s=0.01, reading={0: 0.05, 1: 0.05})
    assert verdict.kind == "input_bound"
    assert not alerts


def test_a_run_that_computes(ray_address: str, tmp_path: Path) -> None:
    verdict, alerts = train(tmp_path, 1000)
    assert verdict.kind == "compute_bound"
    assert not alerts
