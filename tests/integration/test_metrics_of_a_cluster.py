"""What two workers show is what all rows together give."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from tests.integration.conftest import run_raymon

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
data_config {{ batch_size: 201 label_fields: "click" num_workers: 0 }}
feature_configs {{ raw_feature {{ feature_name: "score" expression: "context:score" }} }}
model_config {{
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: ["score"] }}
  custom {{ class_path: "tests.integration.scored_model:ScoredModel" }}
  losses {{ binary_cross_entropy {{}} }}
  metrics {{ auc {{}} }}
  metrics {{ grouped_auc {{ grouping_key: "user" }} }}
  train_metrics {{ auc {{}} decay_rate: 0 decay_step: 10 }}
}}
ray_config {{ num_workers: 2 }}
"""


def test_the_auc_of_two_workers_is_scikit_learns_on_all_scores(
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

    finished = run_raymon("train", config, "--json", address=ray_address)
    assert finished.returncode == 0, finished.stderr
    summary = json.loads(finished.stdout)

    auc = roc_auc_score(click, score)
    assert summary["eval_metrics"]["auc"] == pytest.approx(auc, abs=1e-4)
    loss = log_loss(click, score.astype(np.float64))
    assert summary["eval_metrics"]["binary_cross_entropy"] == pytest.approx(loss, rel=1e-5)
    groups = [user == u for u in range(50)]
    by_user = [roc_auc_score(click[g], score[g]) for g in groups if 0 < click[g].sum() < g.sum()]
    assert summary["eval_metrics"]["grouped_auc"] == pytest.approx(np.mean(by_user), abs=1e-6)
    # One epoch of 10 steps is one fold of all rows, wherever they were.
    assert summary["train_metrics"]["auc"] == pytest.approx(auc, abs=1e-4)
    assert summary["train_metrics"]["binary_cross_entropy"] == pytest.approx(loss, rel=1e-5)
