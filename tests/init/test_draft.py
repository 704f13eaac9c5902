"""Configs that `raymon init` writes from tables."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

import raymon
from raymon.errors import UserError
from raymon.init import Draft, draft_config, find_evaluation
from raymon.init.leaks import area
from raymon.init.tables import nice
from raymon.training.train import load_checked

N = 4000


def table() -> pa.Table:
    rng = np.random.default_rng(0)
    user = rng.integers(0, 400, N)
    price = rng.lognormal(3, 2, N)
    device = rng.integers(0, 3, N)
    logit = 4 * (device == 0) - 3 + np.log(price) / 3
    click = (rng.random(N) < 1 / (1 + np.exp(-logit))).astype(int)
    return pa.table(
        {
            "user_id": user,
            "item_key": [f"i{n}" for n in rng.integers(0, 900, N)],
            "device": [["ios", "android", None][n] for n in device],
            "tags": ["|".join(f"t{n}" for n in rng.integers(0, 9, 2)) for _ in range(N)],
            "cats": [[f"c{n}" for n in rng.integers(0, 300, n % 4)] for n in range(N)],
            "vector": [[0.1 * n, 1.0 - n] for n in range(N)],
            "price": price,
            "age": [None if n % 9 == 0 else float(n) for n in rng.integers(18, 80, N)],
            "score": rng.normal(5, 2, N),
            "evenly": rng.random(N) * 50 + 10,
            "zone_id": rng.integers(0, 150, N),
            "request": [f"r{n}" for n in range(N)],
            "time_ms": 1_700_000_000_000 + np.arange(N) * 977,
            "version": ["v1"] * N,
            "empty": pa.nulls(N, pa.string()),
            "nested": [{"k": 1}] * N,
            "is_like": (rng.random(N) < 0.01).astype(int),
            "watched_share": np.where(click, 0.9, 0.0) + rng.random(N) * 0.1,
            "bought_much": click * (rng.random(N) < 0.1).astype(int),
            "click": click,
            "rating": rng.normal(3, 1, N),
            "grade": user % 4,
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init")
    rows = table()
    for name, part in (("train", rows.slice(0, 3000)), ("test", rows.slice(3000))):
        (folder / name).mkdir()
        pq.write_table(part, folder / name / "a.parquet")
    return folder


@pytest.fixture(scope="module")
def draft(data: Path) -> Draft:
    return drafted(data, "click", drop=["grade", "rating"])


def drafted(data: Path, *labels: str, drop: list[str] | None = None) -> Draft:
    path, evaluation = find_evaluation(str(data))
    return draft_config(
        path, labels, model_dir=str(data / "run"), evaluation=evaluation, drop=drop or []
    )


def block_of(draft: Draft, name: str) -> str:
    blocks = re.findall(r"feature_configs \{\n.*?\n\}", draft.text, re.DOTALL)
    return next(block for block in blocks if f'feature_name: "{name}"' in block)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("user_id", ['expression: "user:user_id"', "num_buckets: 480"]),
        ("item_key", ['"item:item_key"', "hash_bucket_size: 3500", "value_dim: 1"]),
        ("device", ['"context:device"', 'vocab_list: ["android", "ios"]']),
        ("tags", ['separator: "|"', 'pooling: "mean"', 'vocab_list: ["t0", "t1"']),
        ("cats", ["hash_bucket_size: ", 'pooling: "mean"']),
        ("vector", ["value_dim: 2"]),
        ("price", ['normalizer: "method=expression,expr=(log1p(x)-']),
        ("price_range", ["boundaries: [", "embedding_dim: 8"]),
        ("score", ["method=zscore,mean=5.0", "standard_deviation=1.9"]),
        ("evenly", ["method=minmax,min=10.", "max=59.9"]),
        ("age", ["method=minmax,min=", 'default_value: "0.5"']),
        ("zone_id", ["num_buckets: 180"]),
    ],
)
def test_a_column_becomes_what_its_values_are_like(
    draft: Draft, name: str, fields: list[str]
) -> None:
    block = block_of(draft, name)
    for field in fields:
        assert field in block, block


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("request", "nearly every row has a value of its own"),
        ("time_ms", "it says when the row was"),
        ("version", "every row has the same value, v1"),
        ("empty", "no row of the sample has a value"),
        ("nested", "no feature is made from"),
        ("is_like", "by its name it is known only after"),
        ("watched_share", "it predicts click perfectly by itself (AUC 1.0000)"),
        ("bought_much", "where it is above 0, click is 1 in 100.0% of the rows"),
        ("grade", "--drop said so"),
    ],
)
def test_a_column_that_is_no_input_is_left_out_with_its_reason(
    draft: Draft, name: str, why: str
) -> None:
    assert why in draft.left_out[name]
    assert f"#   {name}: {draft.left_out[name]}\n" in draft.text
    assert name not in draft.features
    assert (name in draft.leaks) == (name in ("is_like", "watched_share", "bought_much"))


def test_what_is_written_trains_at_once_and_learns(data: Path, draft: Draft) -> None:
    path = data / "click.config"
    path.write_text(draft.text)
    short = {"train_config.num_epochs": 2, "train_config.save_checkpoints_steps": 100}
    summary = raymon.train(path, {"data_config.num_workers": 0, **short})
    assert summary.status == "done"
    assert summary.eval_metrics["auc"] > 0.7
    assert {"auc", "log_loss", "calibration", "grouped_auc"} <= summary.eval_metrics.keys()
    assert summary.eval_metrics["auc"] < 0.95


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["rating"], ["l2_loss {}", "mean_squared_error {}", "xauc {}", "grouped_xauc"]),
        (["grade"], ["softmax_cross_entropy {}", "num_class: 4", "multiclass_auc {}"]),
        (["device"], ['label_map { key: "android" value: 0 }', "binary_cross_entropy {}"]),
        (
            ["click", "rating"],
            [
                'tower_name: "click" label_name: "click"',
                "losses { l2_loss {} }",
                "mmoe {",
                'best_exporter_metric: "auc_click"',
            ],
        ),
        (["click", "grade"], ["num_class: 4", "multiclass_auc {}", "weight: 1"]),
    ],
)
def test_losses_and_metrics_are_those_of_the_kind_of_label(
    data: Path, tmp_path: Path, labels: list[str], words: list[str]
) -> None:
    if labels == ["device"]:
        rows = pq.read_table(data / "train")
        values = ["ios" if value == "ios" else "android" for value in rows["device"].to_pylist()]
        place = rows.schema.get_field_index("device")
        (tmp_path / "train").mkdir()
        pq.write_table(
            rows.set_column(place, "device", pa.array(values)), tmp_path / "train" / "a.parquet"
        )
        data = tmp_path
    draft = drafted(data, *labels)
    assert [word for word in words if word not in draft.text] == []
    path = tmp_path / "a.config"
    path.write_text(draft.text)
    load_checked(path)


@pytest.mark.parametrize(
    ("labels", "drop", "says"),
    [
        (["clik"], [], r"--label clik: is not there; did you mean click\?"),
        (["version"], [], r"--label version: is v1 in every row, so there is nothing to learn"),
        (["empty"], [], r"--label empty: is string; a label is a number or one of few strings"),
        (["request"], [], r"--label request: has 3,000 different strings"),
        (["nested"], [], r"--label nested: is struct<k: int64>; a label is a number"),
        (["age"], [], r"--label age: 3\d\d of 3,000 rows have no value; leave such rows out"),
        (["click"], ["prise"], r"--drop prise: is not there; did you mean price\?"),
    ],
)
def test_what_cannot_be_learned_is_said_in_one_line(
    data: Path, labels: list[str], drop: list[str], says: str
) -> None:
    with pytest.raises(UserError, match=says) as error:
        drafted(data, *labels, drop=drop)
    assert "\n" not in str(error.value)


def test_a_column_that_the_evaluation_data_lacks_makes_no_feature(
    data: Path, tmp_path: Path
) -> None:
    lacking = pq.read_table(data / "test").drop_columns(["device", "click"])
    pq.write_table(lacking, tmp_path / "a.parquet")
    train = str(data / "train")
    with pytest.raises(UserError, match=r"a\.parquet: has no column click, which is a label"):
        draft_config(train, ["click"], model_dir="r", evaluation=str(tmp_path / "a.parquet"))
    found = draft_config(train, ["rating"], model_dir="r", evaluation=str(tmp_path / "a.parquet"))
    assert found.left_out["device"] == "the evaluation data does not have it"


@pytest.mark.parametrize(
    ("there", "given", "expected"),
    [
        (["d/train/a", "d/test/a"], "d", ("d/train", "d/test")),
        (["d/train/a", "d/eval/a", "d/test/a"], "d/train", ("d/train", "d/eval")),
        (["d/train/a", "d/val/a"], "d/train/", ("d/train/", "d/val")),
        (["train.csv", "test.csv"], "train.csv", ("train.csv", "test.csv")),
        (["train.csv", "test.parquet"], "train.csv", ("train.csv", None)),
        (["d/a", "test/a"], "d", ("d", None)),
        (["d/train/a", "d/test/a"], "d/train/*", ("d/train/*", None)),
    ],
)
def test_evaluation_data_is_found_beside_what_is_called_train(
    tmp_path: Path, there: list[str], given: str, expected: tuple[str, str | None]
) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    path, evaluation = find_evaluation(f"{tmp_path}/{given}")
    assert path == f"{tmp_path}/{expected[0]}"
    assert evaluation == (expected[1] and f"{tmp_path}/{expected[1]}")


def test_the_area_by_which_leaks_are_found_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 9, 500).astype(float), rng.random(500) < 0.3
    assert area(scores, labels) == pytest.approx(roc_auc_score(labels, scores))


def test_sizes_of_tables_are_round() -> None:
    assert [nice(n) for n in (1, 7, 99, 101, 3310, 480.0, 84_736)] == [
        1, 7, 99, 110, 3400, 480, 85_000,
    ]  # fmt: skip
