"""Every kind of feature in a run: trained, resumed, evaluated, exported, predicted from."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

import raymon
from raymon.config import load
from raymon.serving import open_bundle, predict
from raymon.storage import storage_path
from raymon.training.export import export_run
from raymon.training.input.readers import features_of
from raymon.training.prepare import plan_fine_tuning

ROWS = 96
DIM = "embedding_dim: 3"
SPARSE = {
    "hashed": f'id_feature {{ expression: "user:id" hash_bucket_size: 50 {DIM} }}',
    "bucket": f'id_feature {{ expression: "user:id" num_buckets: 20 {DIM} default_value: "0" }}',
    "listed": f'id_feature {{ expression: "user:id" vocab_list: ["1", "2", "5"] {DIM} }}',
    "told": f'id_feature {{ expression: "user:id" vocab_dict {{ key: "3" value: 2 }} {DIM} }}',
    "filed": f'id_feature {{ expression: "user:id" vocab_file: "FOLDER/words.txt" {DIM} '
    "default_bucketize_value: 0 }",
    "weighted": f'id_feature {{ expression: "user:weighted" hash_bucket_size: 50 {DIM} '
    'weighted: true separator: "|" }',
    "several": f'id_feature {{ expression: "user:several" hash_bucket_size: 50 {DIM} '
    'pooling: "mean" }',
    "cut": f'raw_feature {{ expression: "user:price" boundaries: [-1, 0, 1] {DIM} }}',
    "crossed": f'combo_feature {{ expression: ["user:id", "user:day"] {DIM} '
    "hash_bucket_size: 50 }",
    "crossed_listed": f'combo_feature {{ expression: ["user:id", "user:day"] {DIM} '
    'vocab_list: ["1_2024-01-01", "2_2024-01-02"] }',
    "found_texts": f'lookup_feature {{ map: "user:kv" key: "user:several" {DIM} '
    "hash_bucket_size: 50 need_key: true }",
    "of_a_bucket": f'lookup_feature {{ map: "user:kv" key: "feature:cut" {DIM} '
    "boundaries: [2, 4] }",
    "masked": f'bool_mask_feature {{ expression: ["user:several", "user:masks"] {DIM} '
    "num_buckets: 9 }",
    "matched_texts": f'match_feature {{ nested_map: "user:kkv" pkey: "ALL" skey: "user:id" {DIM} '
    "hash_bucket_size: 50 show_pkey: true }",
    "replaced": f'regex_replace_feature {{ expression: "user:day" regex_pattern: "-.*" '
    f'replacement: "" vocab_list: "2024" {DIM} }}',
    "growing": f'id_feature {{ expression: "user:id" {DIM} zch {{ zch_size: 9 lfu {{}} }} }}',
    "growing_texts": f'id_feature {{ expression: "user:day" {DIM} '
    "zch { zch_size: 3 lru {} } }",
    "growing_weighted": f'id_feature {{ expression: "user:weighted" {DIM} weighted: true '
    'separator: "|" zch { zch_size: 6 distance_lfu {} eviction_interval: 1 } }',
    "growing_crossed": f'combo_feature {{ expression: ["user:id", "user:day"] {DIM} '
    "zch { zch_size: 30 lfu {} eviction_interval: 2 } }",
}
DENSE = {
    "matched": 'match_feature { nested_map: "user:kkv" pkey: "user:id" skey: "ALL" }',
    "computed": 'expr_feature { variables: ["user:price", "user:id"] '
    'expression: "sigmoid(price) * (id > 5 ? 1 : 2)" }',
    "overlapping": 'overlap_feature { query: "user:several" title: "user:words" '
    'method: "query_common_ratio" separator: "|" }',
    "product": 'kv_dot_product { query: "user:words" document: "user:several" separator: "|" }',
    "combined": 'combine_feature { expression: "user:several" combiner: "max" '
    'value_map { key: "3" value: 0.5 } value_map { key: "4" value: 2 } }',
    "found": 'lookup_feature { map: "user:kv" key: "user:id" combiner: "max" }',
    "embedded": f'raw_feature {{ expression: "user:price" {DIM} autodis {{ num_channels: 4 }} }}',
    "mapped": f'raw_feature {{ expression: "user:pair" value_dim: 2 {DIM} mlp {{}} }}',
    "number": 'raw_feature { expression: "user:price" default_value: "2" '
    'normalizer: "method=zscore,mean=1,standard_deviation=2" }',
    "pair": 'raw_feature { expression: "user:pair" value_dim: 2 }',
}


def table(seed: int) -> pa.Table:
    draw = np.random.default_rng(seed)
    ids = draw.integers(0, 12, ROWS)
    gone = draw.random(ROWS) < 0.1
    day = np.datetime64("2024-01-01", "D") + draw.integers(0, 3, ROWS)
    price = draw.normal(size=ROWS)
    several = [draw.integers(0, 9, n).tolist() for n in draw.integers(0, 4, ROWS)]
    return pa.table(
        {
            "id": pa.array(ids, mask=gone),
            "weighted": ["|".join(f"{v}:{0.5 + v}" for v in row) for row in several],
            "several": several,
            "price": pa.array(price, mask=gone),
            "pair": [[a, b] for a, b in draw.normal(size=(ROWS, 2))],
            "day": day,
            "kkv": ["|".join(f"{v}^{v}:{v + 1},7:2" for v in set(row)) for row in several],
            "words": ["|".join(map(str, row[::-1])) for row in several],
            "masks": [[v > 3 for v in row] for row in several],
            "kv": ["\x1d".join(f"{v}:{v + 1}" for v in row) for row in several],
            "click": (draw.random(ROWS) < 1 / (1 + np.exp(-price))).astype(np.int64),
        }
    )


def otherwise(rows: pa.Table) -> pa.Table:
    """The same values in columns of other types."""
    texts = [None if value is None else str(value) for value in rows["id"].to_pylist()]
    return pa.table(
        {
            "id": pa.array(texts, pa.large_string()),
            "weighted": rows["weighted"].cast(pa.large_string()),
            "several": rows["several"].cast(pa.list_(pa.string())),
            "price": rows["price"],
            "pair": rows["pair"].cast(pa.list_(pa.float64(), 2)),
            "day": rows["day"].cast(pa.string()).dictionary_encode(),
            "kkv": rows["kkv"].cast(pa.large_string()),
            "words": rows["words"].dictionary_encode(),
            "masks": rows["masks"].cast(pa.list_(pa.int8())),
            "kv": pa.array(
                [[(int(v), v + 1) for v in row] for row in rows["several"].to_pylist()],
                pa.map_(pa.int64(), pa.float64()),
            ),
            "click": rows["click"].cast(pa.bool_()),
        }
    )


def config_of(folder: Path) -> Path:
    blocks = "".join(
        "feature_configs { "
        + text.replace("{", f'{{ feature_name: "{name}"', 1).replace("FOLDER", str(folder))
        + " }\n"
        for name, text in {**SPARSE, **DENSE}.items()
    )
    every = ", ".join(f'"{name}"' for name in (*SPARSE, *DENSE))
    (folder / "words.txt").write_text("3\n1\n")
    path = folder / "run.config"
    path.write_text(f"""
        train_input_path: "{folder}/train.parquet"
        eval_input_path: "{folder}/eval.parquet"
        model_dir: "{folder}/run"
        train_config {{
          num_epochs: 2
          dense_optimizer {{ adam_optimizer {{ lr: 0.02 }} }}
          sparse_optimizer {{ adagrad_optimizer {{ lr: 0.1 }} }}
        }}
        export_config {{}}
        data_config {{
          batch_size: 16 label_fields: "click" num_workers: 0 fg_mode: FG_DAG
        }}
        {blocks}
        model_config {{
          feature_groups {{ group_name: "wide" group_type: WIDE feature_names: "hashed" }}
          feature_groups {{ group_name: "fm" group_type: DEEP feature_names: "listed" }}
          feature_groups {{ group_name: "deep" group_type: DEEP feature_names: [{every}] }}
          deepfm {{ deep {{ hidden_units: [8] }} }}
          losses {{ binary_cross_entropy {{}} }}
          metrics {{ auc {{}} }}
        }}
        ray_config {{ num_workers: 0 }}""")
    return path


def test_every_kind_is_trained_evaluated_exported_and_predicted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, rows = config_of(tmp_path), table(1)
    pq.write_table(table(0), tmp_path / "train.parquet")
    pq.write_table(rows, tmp_path / "eval.parquet")
    pq.write_table(otherwise(rows), tmp_path / "other.parquet")
    raymon.train(path, {"train_config.num_epochs": 1, "export_config.export_at_end": "false"})
    summary = raymon.train(path, resume=True)
    assert summary.steps == 2 * ROWS // 16
    assert summary.export == str(tmp_path / "run" / "export")

    scores = []
    for name in ("eval", "other"):
        out = storage_path(tmp_path / f"{name}_scores.parquet")
        predict(storage_path(tmp_path / "run" / "export"), f"{tmp_path}/{name}.parquet", out)
        scores.append(pq.read_table(tmp_path / f"{name}_scores.parquet")["probs"].to_numpy())
        _, metrics = raymon.evaluate_run(
            storage_path(tmp_path / "run"), "latest", [f"eval_input_path={tmp_path}/{name}.parquet"]
        )
        assert metrics == pytest.approx(dict(summary.eval_metrics), abs=1e-12)
    np.testing.assert_array_equal(scores[0], scores[1])
    auc = roc_auc_score(rows["click"].to_numpy(), scores[0])
    assert summary.eval_metrics["auc"] == pytest.approx(auc, abs=1e-4)

    features = open_bundle(storage_path(tmp_path / "run" / "export")).features
    assert {feature.name for feature in features} == {*SPARSE, *DENSE}

    # A vocabulary that is made again fits the tables of the checkpoint, but refers to other rows.
    run = storage_path(tmp_path / "run")
    (tmp_path / "words.txt").write_text("1\n3\n")
    other = "the vocabulary of feature filed is not the one that the run was trained with"
    with pytest.raises(raymon.RunError, match=other):
        raymon.evaluate_run(run)
    with pytest.raises(raymon.RunError, match=other):
        export_run(run, storage_path(tmp_path / "again"))
    with pytest.raises(raymon.RunError, match=other):
        raymon.train(path, {"train_config.num_epochs": 3}, resume=True)
    with caplog.at_level(logging.WARNING, "raymon"):
        config = load(path, [f"train_config.fine_tune_checkpoint={tmp_path}/run"])
        plan_fine_tuning(config, features_of(config))
    assert "the vocabulary of feature filed is another one here" in caplog.text
    (tmp_path / "words.txt").write_text("3\r\n1.0")  # the same values, written differently
    assert raymon.evaluate_run(run)[1] == pytest.approx(dict(summary.eval_metrics), abs=1e-12)
    listed = f"feature_configs[{list(SPARSE).index('listed')}].id_feature.vocab_list"
    with pytest.raises(raymon.RunError, match="feature listed"):
        raymon.evaluate_run(run, "latest", [f'{listed}=["2", "1", "5"]'])
