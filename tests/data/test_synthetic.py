from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from sklearn.metrics import roc_auc_score

from raymon import examples
from raymon.data import Columns, DataReader, LabelKind, build_features, check_input, synthetic
from raymon.protos import pipeline_pb2


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("synthetic")
    synthetic.generate(directory, train_rows=30_000, eval_rows=10_000)
    return directory


def test_the_auc_of_popularity_is_that_of_the_written_rows(log: Path) -> None:
    train, test = (pq.read_table(log / part).to_pandas() for part in ("train", "eval"))
    shown = train.groupby("item_id")["click"].agg(["sum", "count"])
    rate = (shown["sum"] + 1) / (shown["count"] + 20)
    score = test["item_id"].map(rate).fillna(1 / 20)
    summary = json.loads((log / "summary.json").read_text())
    assert summary["popularity_auc"] == pytest.approx(roc_auc_score(test["click"], score), abs=1e-9)
    assert summary["click_rate"] == test["click"].mean() == pytest.approx(0.05, abs=0.01)
    assert summary["best_auc"] > summary["popularity_auc"] + 0.06


def test_the_log_has_what_real_data_has(log: Path) -> None:
    table = pq.read_table(log / "train")
    assert {n for n in table.column_names if table[n].null_count} == {
        "user_age",
        "user_interests",
        "price",
        "device",
    }
    assert any("|" in value for value in table["user_interests"].to_pylist() if value)
    assert len(list((log / "train").iterdir())) == 4


def test_the_same_seed_makes_the_same_log(tmp_path: Path) -> None:
    for name in ("a", "b"):
        synthetic.generate(tmp_path / name, users=50, items=9, train_rows=400, eval_rows=400)
    assert pq.read_table(tmp_path / "a/train").equals(pq.read_table(tmp_path / "b/train"))


def test_the_demo_config_reads_the_log(log: Path) -> None:
    text = (Path(next(iter(examples.__path__))) / "demo.config").read_text()
    config = text_format.Parse(text, pipeline_pb2.PipelineConfig())
    features = build_features(config.feature_configs)
    columns = Columns(features, {"click": LabelKind.BINARY})
    assert check_input(str(log / "train"), columns).rows == 30_000
    batch = next(DataReader(str(log / "eval"), columns, batch_size=8).epoch(0))
    assert batch.dense.keys() | batch.sparse.keys() == {feature.name for feature in features}


def test_a_log_that_is_there_is_not_made_again(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["synthetic", str(log)])
    monkeypatch.delattr(synthetic, "generate")
    synthetic.main()
    best = json.loads((log / "summary.json").read_text())["best_auc"]
    assert f"best possible AUC {best:.4f}" in capsys.readouterr().out
