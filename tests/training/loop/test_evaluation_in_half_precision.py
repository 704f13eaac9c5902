"""Scores in half precision: metrics are those of exactly these numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from torch import Tensor, nn

import raymon
from raymon.data import Batch
from raymon.models import RankingModel

ROWS = 4_000


class OfHalfPrecision(RankingModel):
    """A model of one's own without a Head, whose scores have the format of autocast."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.layer = nn.Linear(1, 1)
        with torch.no_grad():
            self.layer.weight.fill_(1.0)
            self.layer.bias.zero_()

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.layer(batch.dense["x"]).squeeze(1)
        return {"logits": logits, "probs": logits.sigmoid()}


@pytest.mark.parametrize(("precision", "half"), [("BF16", torch.bfloat16), ("FP16", torch.float16)])
def test_metrics_of_scores_in_half_precision_are_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, half: torch.dtype
) -> None:
    monkeypatch.setenv("RAYMON_ALLOW_CUSTOM_CLASSES", "1")
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS).astype(np.float32)
    click = (rng.random(ROWS) < 1 / (1 + np.exp(-x))).astype(np.int64)
    pq.write_table(pa.table({"x": x, "click": click}), tmp_path / "rows.parquet")
    config = tmp_path / "run.config"
    config.write_text(f"""
      train_input_path: "{tmp_path}/rows.parquet" eval_input_path: "{tmp_path}/rows.parquet"
      model_dir: "{tmp_path}/run"
      train_config {{ num_steps: 1 mixed_precision: "{precision}" use_tensorboard: false
        log_step_count_steps: 1
        dense_optimizer {{ sgd_optimizer {{ lr: 0 }} constant_learning_rate {{}} }} }}
      data_config {{ batch_size: {ROWS} num_workers: 0 label_fields: "click" shuffle: false
        fg_mode: FG_DAG }}
      feature_configs {{ raw_feature {{ feature_name: "x" expression: "user:x" }} }}
      model_config {{ feature_groups {{ group_name: "all" feature_names: "x" group_type: DEEP }}
        custom {{ class_path: "{__name__}:OfHalfPrecision" }} losses {{ binary_cross_entropy {{}} }}
        metrics {{ auc {{}} }} metrics {{ pr_auc {{}} }} metrics {{ log_loss {{}} }}
        train_metrics {{ auc {{}} decay_step: 1 decay_rate: 0 }} }}
      ray_config {{ num_workers: 0 }}""")
    summary = raymon.train(config)
    # A learning rate of 0 leaves the scores what they are.
    scores = torch.from_numpy(x).to(half).sigmoid().double().numpy()
    assert len(np.unique(scores)) < ROWS / 2
    found = summary.eval_metrics
    assert found["auc"] == pytest.approx(roc_auc_score(click, scores), abs=1e-9)
    assert found["pr_auc"] == pytest.approx(average_precision_score(click, scores), abs=1e-9)
    assert found["log_loss"] == pytest.approx(log_loss(click, scores), rel=1e-6)
    of_training = summary.train_metrics["auc"]
    assert of_training == pytest.approx(roc_auc_score(click, scores), abs=1e-4)
    # Losses take the logits, which are rounded too, and no more than that.
    logits = torch.from_numpy(x).to(half).double()
    target = torch.from_numpy(click).double()
    exact = nn.functional.binary_cross_entropy_with_logits(logits, target)
    assert found["binary_cross_entropy"] == pytest.approx(exact.item(), rel=1e-6)
