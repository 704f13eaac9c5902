"""Runs in this process whose metrics have no value, tiny weights, another direction, or are new."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score
from torchmetrics import Metric

import raymon
from raymon.cli.main import main
from raymon.metrics.registry import custom
from raymon.sinks.json_lines.json_lines import SCORES_FILE
from raymon.storage import storage_path
from raymon.training.checkpoint.scores import read_scores

SHORT = [
    "ray_config.num_workers=0",
    "train_config.num_epochs=1",
    "train_config.save_checkpoints_steps=10",
]
MODEL = "model_config={custom {class_path: 'tests.training.scored_model:ScoredModel'} %s}"
WEIGHTED = "data_config.sample_weight_fields=w"


def _table(directory: Path, **columns: object) -> str:
    """Returns 640 rows whose price, in a ScoredModel, predicts the click to some degree."""
    rng = np.random.default_rng(0)
    rows = 640
    price = rng.normal(size=rows).round(2)
    plain = {
        "user_id": [f"u{i % 7}" for i in range(rows)],
        "item_id": np.arange(rows) % 90,
        "user_interests": ["a|b"] * rows,
        "price": price,
        "click": (rng.random(rows) < 1 / (1 + np.exp(-price))).astype(np.int8),
    }
    directory.mkdir(exist_ok=True)
    pq.write_table(pa.table({**plain, **columns}), directory / "part.parquet")
    return str(directory)


def _raymon(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["raymon", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_one_class_alone_has_no_auc_anywhere_and_says_so_once(
    config_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = _table(tmp_path / "ones", click=np.ones(640, np.int8))
    stopping = "train_config.early_stopping={metric: 'auc' patience: 1}"
    with caplog.at_level(logging.WARNING, "raymon"):
        summary = raymon.train(config_file, [*SHORT, f"eval_input_path={data}", stopping])
    told = [record.getMessage() for record in caplog.records]
    why = "auc has no value: there is one class alone (labels are all 1)"
    assert [line for line in told if f": {why}" in line] == [f"Evaluation at step 10: {why}"]
    assert math.isnan(summary.eval_metrics["auc"])
    assert math.isfinite(summary.eval_metrics["normalized_entropy"])
    assert summary.best_checkpoint is None
    assert str(summary.no_best).startswith("no checkpoint has a value of auc: it is NaN in that of")
    assert summary.stopped_early is None
    run = storage_path(summary.model_dir)
    line = json.loads((run / SCORES_FILE).read_text().splitlines()[0])
    assert line["auc"] is None
    with pytest.raises(raymon.RaymonError, match="no checkpoint has a value of auc: it is NaN in"):
        raymon.best_checkpoint(summary.model_dir)


class Boundless(Metric):
    """A metric whose value is infinite."""

    def update(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        pass

    def compute(self) -> torch.Tensor:
        return torch.tensor(math.inf)


def test_a_metric_that_is_infinite_has_no_value_and_says_so(
    config_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(custom._registered, "boundless", Boundless)
    given = "model_config.metrics+={custom_metric {name: 'boundless'}}"
    data = _table(tmp_path / "rows")
    summary = raymon.train(config_file, [*SHORT, f"eval_input_path={data}", given])
    assert math.isnan(summary.eval_metrics["boundless"])
    assert summary.no_value["boundless"] == "it comes out as inf"


def test_only_ratios_of_weights_matter_and_numbers_are_those_of_scikit_learn(
    config_file: Path, tmp_path: Path
) -> None:
    weights = np.random.default_rng(1).gamma(1, 1, 640)
    metrics = " ".join(
        f"metrics {{{kind} {{}}}}" for kind in ("auc", "pr_auc", "log_loss", "calibration")
    )
    model = MODEL % (
        f"losses {{binary_cross_entropy {{}}}} {metrics} train_metrics {{auc {{}} decay_step: 3}}"
    )
    found = {}
    for scale in (1 / 640, 1e-9, 1e12, None):
        column = np.full(640, 3e-7) if scale is None else weights * scale
        data = _table(tmp_path / f"data{scale}", w=column)
        found[scale] = raymon.train(
            config_file,
            [
                *SHORT,
                model,
                WEIGHTED,
                f"train_input_path={data}",
                f"eval_input_path={data}",
                f"model_dir={tmp_path}/run{scale}",
                "export_config=",
                "data_config.shuffle=false",
                "train_config.sparse_optimizer=",
            ],
        )
    rows = pq.read_table(tmp_path / "dataNone/part.parquet").to_pydict()
    scores, clicks = 1 / (1 + np.exp(-np.float32(rows["price"]))), rows["click"]
    for scale, summary in found.items():
        w = None if scale is None else weights
        exact = roc_auc_score(clicks, scores, sample_weight=w)
        assert summary.eval_metrics["auc"] == pytest.approx(exact, abs=1e-7)
        assert summary.train_metrics["auc"] == pytest.approx(exact, abs=0.1)
        loss = log_loss(clicks, scores, sample_weight=w)
        assert summary.eval_metrics["log_loss"] == pytest.approx(loss, rel=1e-5)
    first, *others, _ = found.values()
    for other in others:
        assert other.train_metrics["auc"] == pytest.approx(first.train_metrics["auc"], abs=1e-7)


def test_a_metric_that_was_added_ranks_in_its_own_direction(
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = config_file.parent / "run"
    added = [
        "model_config.metrics+={log_loss {}}",
        "model_config.metrics+={grouped_auc {grouping_key: 'item_id'} name: 'auc_by_item'}",
        "export_config.best_exporter_metric=log_loss",
        "train_config.early_stopping={metric: 'log_loss' patience: 9}",
    ]
    raymon.train(config_file, SHORT)
    summary = raymon.train(config_file, [*SHORT, *added, "train_config.num_epochs=2"], resume=True)
    lines = {each.step: each.metrics for each in read_scores(storage_path(run))}
    assert "log_loss" not in lines[10]
    assert {"auc", "auc_by_item", "grouped_auc"} <= lines[50].keys()
    ranked = {step: m["log_loss"] for step, m in lines.items() if "log_loss" in m}
    best = min(ranked, key=ranked.__getitem__)
    assert summary.best_checkpoint == str(run / f"model.ckpt-{best}")
    capsys.readouterr()
    assert _raymon(monkeypatch, "best", run) == 0
    out, err = capsys.readouterr()
    assert out == f"{run}/model.ckpt-{best}\n"
    assert f"log_loss {ranked[best]:.6g}" in " ".join(err.split())
    assert "checkpoints of steps 10, 20, 30, 40 without log_loss, which do not count" in err
    assert "by log_loss, the smaller the better:" in err
    assert f"step {best}" in err
    assert "step 10  -" in err
    assert _raymon(monkeypatch, "best", run, "--metric", "total_loss", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    losses = {step: m["total_loss"] for step, m in lines.items()}
    assert answer["step"] == min(losses, key=losses.__getitem__)
    assert (answer["ranked_by"], answer["larger_is_better"]) == ("total_loss", False)
    assert {c["step"]: c["value"] for c in answer["checkpoints"]} == losses
    assert _raymon(monkeypatch, "best", run, "--larger-is-better", "--json") == 0
    assert json.loads(capsys.readouterr().out)["step"] == max(ranked, key=ranked.__getitem__)
    assert _raymon(monkeypatch, "best", run, "--metric", "auc_by_user") != 0
    err = capsys.readouterr().err
    assert "no checkpoint has the metric 'auc_by_user'; they have auc, auc_by_item" in err
