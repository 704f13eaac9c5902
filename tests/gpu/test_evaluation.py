"""An evaluation on a GPU has the numbers of the CPU, for the same scores those to the bit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

import raymon
from raymon.config import read_saved
from raymon.data import Batch
from raymon.models import RankingModel
from raymon.reporter import InProcessReporter, Reporter
from raymon.results import Evaluation
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.evaluate_run import evaluation_of_run
from raymon.training.loop.async_evaluation import evaluate_checkpoint

pytestmark = pytest.mark.gpu

ROWS, USERS = 5_000, 300
COUNTED = ("auc", "pr_auc", "grouped_auc", "grouped_xauc", "ndcg_at_k")
"""Metrics of the order of scores, whose counts are integers."""

OF_NUMBERS = ("log_loss", "calibration", "normalized_entropy")


class OfTheRow(RankingModel):
    """A model whose score is the number `x` of a row, on any device the same bits."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shift = nn.Parameter(torch.zeros(()))

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        x = batch.dense["x"].squeeze(1)
        logits = 8 * (x - 0.5) + self.shift
        return {"logits": logits, "probs": x}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows with scores in steps of 2^-9, many of them tied."""
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 513, ROWS) / 512).astype(np.float32)
    columns = {
        "x": x,
        "click": (rng.random(ROWS) < x).astype(np.int64),
        "user": rng.integers(0, USERS, ROWS),
        "w": rng.random(ROWS).astype(np.float32) + np.float32(0.1),
    }
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def config_of(rows: Path, place: Path, on_gpu: str, weighted: bool, more: str = "") -> Path:
    path = place.with_suffix(".config")
    weights = 'sample_weight_fields: "w"' if weighted else ""
    path.write_text(f"""
      train_input_path: "{rows}" eval_input_path: "{rows}" model_dir: "{place}"
      train_config {{ num_steps: 12 save_checkpoints_steps: 4 log_step_count_steps: 4 {more}
        use_tensorboard: false
        dense_optimizer {{ sgd_optimizer {{ lr: 0.01 }} constant_learning_rate {{}} }} }}
      data_config {{ batch_size: 500 num_workers: 0 label_fields: "click" fg_mode: FG_DAG
        {weights} }}
      feature_configs {{ raw_feature {{ feature_name: "x" expression: "user:x" }} }}
      model_config {{
        feature_groups {{ group_name: "all" feature_names: "x" group_type: DEEP }}
        custom {{ class_path: "{__name__}:OfTheRow" }} losses {{ binary_cross_entropy {{}} }}
        metrics {{ auc {{}} }} metrics {{ pr_auc {{}} }} metrics {{ log_loss {{}} }}
        metrics {{ calibration {{}} }} metrics {{ normalized_entropy {{}} }}
        metrics {{ grouped_auc {{ grouping_key: "user" }} }}
        metrics {{ grouped_xauc {{ grouping_key: "user" }} }}
        metrics {{ ndcg_at_k {{ grouping_key: "user" top_k: 5 }} }}
        train_metrics {{ auc {{}} decay_step: 4 }} }}
      ray_config {{ num_workers: 0 {on_gpu} }}""")
    return path


@pytest.mark.parametrize("weighted", [False, True])
def test_the_numbers_of_one_checkpoint_are_the_same_on_both(
    rows: Path, tmp_path: Path, on_gpu: str, weighted: bool
) -> None:
    place = tmp_path / "run"
    raymon.train(config_of(rows, place, on_gpu, weighted))
    there = evaluation_of_run(place)
    here = evaluation_of_run(place, overrides=["ray_config.use_gpu=false"])
    for name in COUNTED:
        assert there.metrics[name] == pytest.approx(here.metrics[name], rel=1e-12), name
    for name in (*OF_NUMBERS, "binary_cross_entropy", "total_loss"):
        assert there.metrics[name] == pytest.approx(here.metrics[name], rel=1e-6), name
    assert there.metric_details == here.metric_details
    assert there.metric_bounds.keys() == here.metric_bounds.keys()
    assert (there.input_errors, there.no_value) == (here.input_errors, here.no_value)
    table = pq.read_table(rows)
    weights = table["w"].to_numpy() if weighted else None
    exact = roc_auc_score(table["click"], table["x"], sample_weight=weights)
    assert there.metrics["auc"] == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("precision", ["", 'mixed_precision: "BF16"'])
def test_a_checkpoint_that_is_scored_beside_a_run_has_the_scores_of_the_run(
    rows: Path, tmp_path: Path, on_gpu: str, device: torch.device, precision: str
) -> None:
    place = tmp_path / "run"
    averages = {"train_config.dense_optimizer.ema.decay": 0.5}
    raymon.train(config_of(rows, place, on_gpu, False, precision), averages)
    for checkpoint in list_checkpoints(place):
        assert checkpoint.metrics
        reporter = Reporter(None, [], 1, math.inf)
        found = evaluate_checkpoint(
            read_saved(place), checkpoint.path, InProcessReporter(reporter), {}, device
        )
        # On one device sums may be added up in another order, and no more.
        assert found == pytest.approx(checkpoint.metrics, rel=1e-6)
        for name in COUNTED:
            assert found[name] == pytest.approx(checkpoint.metrics[name], rel=1e-12)
        news, _ = reporter.published()
        assert [each.step for each in news if isinstance(each, Evaluation)] == [checkpoint.step]


def test_a_run_stops_early_where_it_does_on_the_cpu(
    rows: Path, tmp_path: Path, on_gpu: str
) -> None:
    stopping = 'early_stopping { metric: "auc" patience: 2 }'
    steps = []
    for name, use in (("there", on_gpu), ("here", "")):
        summary = raymon.train(config_of(rows, tmp_path / name, use, False, stopping))
        assert summary.stopped_early is not None
        steps.append(summary.steps)
    # Scores that never change are no improvement.
    assert steps == [12, 12]


def test_a_checkpoint_goes_from_one_kind_of_device_to_the_other(
    rows: Path, tmp_path: Path, on_gpu: str
) -> None:
    uses = ("", on_gpu)
    for name, (first, second) in {"a": uses, "b": uses[::-1]}.items():
        config = config_of(rows, tmp_path / name, first, False, 'mixed_precision: "BF16"')
        raymon.train(config, {"train_config.num_steps": 8})
        config_of(rows, tmp_path / name, second, False, 'mixed_precision: "BF16"')
        summary = raymon.train(config, resume=True)
        assert (summary.status, summary.steps) == ("done", 12)
        assert summary.eval_metrics["auc"] > 0.5
