"""What two workers show is what all rows together give."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import average_precision_score, log_loss, ndcg_score, roc_auc_score

from tests.installed import installed_python

ROWS = 4001  # ranks hold unequal parts

SCORED_CONFIG = """
train_input_path: "{data}"
eval_input_path: "{data}"
model_dir: "{model_dir}"
train_config {{
  dense_optimizer {{ sgd_optimizer {{ lr: 0.1 }} }}
  num_epochs: 1
  log_step_count_steps: 10
}}
data_config {{ fg_mode: FG_DAG batch_size: 201 label_fields: "click" num_workers: 0 }}
feature_configs {{ raw_feature {{ feature_name: "score" expression: "context:score" }} }}
model_config {{
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: ["score"] }}
  custom {{ class_path: "tests.integration.scored_model:ScoredModel" }}
  losses {{ binary_cross_entropy {{}} }}
  metrics {{ auc {{}} }}
  metrics {{ pr_auc {{}} }}
  metrics {{ log_loss {{}} }}
  metrics {{ calibration {{}} }}
  metrics {{ xauc {{}} }}
  metrics {{ grouped_auc {{ grouping_key: "user" }} }}
  metrics {{ grouped_xauc {{ grouping_key: "user" }} }}
  metrics {{ ndcg_at_k {{ grouping_key: "user" top_k: 10 }} }}
  metrics {{ custom_metric {{ name: "highest_score" kwargs {{ key: "scale" value: "2" }} }} }}
  train_metrics {{ auc {{}} decay_rate: 0 decay_step: 10 }}
  train_metrics {{ xauc {{}} decay_rate: 0 decay_step: 10 }}
  train_metrics {{ pr_auc {{}} decay_rate: 0 decay_step: 10 }}
  train_metrics {{ log_loss {{}} decay_rate: 0 decay_step: 10 }}
  train_metrics {{ calibration {{}} decay_rate: 0 decay_step: 10 }}
  train_metrics {{ mean_absolute_error {{}} decay_rate: 0 decay_step: 10 }}
  train_metrics {{ custom_metric {{ name: "highest_score" }} decay_rate: 0 decay_step: 10 }}
}}
ray_config {{ num_workers: 2 }}
"""


def test_the_metrics_of_two_workers_are_those_of_all_scores(
    ray_address: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    score = rng.uniform(0.001, 0.05, ROWS).astype(np.float32)  # clicks are rare
    click = (rng.uniform(size=ROWS) < score).astype(np.int8)
    user = rng.integers(0, 50, ROWS)
    table = pa.table({"score": score, "click": click, "user": [f"u{u}" for u in user]})
    pq.write_table(table, tmp_path / "scored.parquet", row_group_size=500)
    config = tmp_path / "scored.config"
    config.write_text(
        SCORED_CONFIG.format(data=tmp_path / "scored.parquet", model_dir=tmp_path / "run")
    )

    script = Path(__file__).with_name("train_with_own_metric.py")
    finished = subprocess.run(
        [installed_python(), script, config],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "RAY_ADDRESS": ray_address, "PYTHONPATH": os.getcwd()},
    )
    assert finished.returncode == 0, finished.stderr
    summary = json.loads(finished.stdout)
    found, trained = summary["eval_metrics"], summary["train_metrics"]

    auc = roc_auc_score(click, score)
    loss = log_loss(click, score.astype(np.float64))
    expected = {
        "auc": auc,
        "pr_auc": average_precision_score(click, score),
        "log_loss": loss,
        "calibration": score.astype(np.float64).sum() / click.sum(),
        "xauc": _concordant(click, score),
        "highest_score": 2 * score.max(),
        "binary_cross_entropy": loss,
    }
    # What the bins of a hundred clicks can cost an average precision.
    within = {"pr_auc": 1e-3}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-5, abs=within.get(name, 1e-4)), name
    groups = [user == u for u in range(50)]
    both = [g for g in groups if 0 < click[g].sum() < g.sum()]
    by_user = [roc_auc_score(click[g], score[g]) for g in both]
    assert found["grouped_auc"] == pytest.approx(np.mean(by_user), abs=1e-9)
    gains = [ndcg_score([click[g]], [score[g]], k=10) for g in both]
    assert found["ndcg_at_k"] == pytest.approx(np.mean(gains), abs=1e-9)
    pairs = [_concordant(click[g], score[g]) * g.sum() for g in both]
    weight = sum(g.sum() for g in both)
    assert found["grouped_xauc"] == pytest.approx(np.sum(pairs) / weight, abs=1e-9)

    # One epoch of 10 steps is one fold of all rows, wherever they were.
    error = np.abs(score.astype(np.float64) - click).mean()
    expected |= {"mean_absolute_error": error, "highest_score": score.max()}
    for name in expected:
        value = pytest.approx(expected[name], rel=1e-5, abs=within.get(name, 1e-4))
        assert trained[name] == value, name


def _concordant(label: np.ndarray, score: np.ndarray) -> float:
    """Returns the share of all pairs whose labels and scores differ in the same direction."""
    i, j = np.triu_indices(len(label), 1)
    same = np.sign(label[i].astype(int) - label[j]) * np.sign(score[i] - score[j])
    return float((same > 0).mean())
