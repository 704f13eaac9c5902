"""What columns hold, given by the config or inferred from the data."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format

import raymon
from raymon.config import load, read_saved
from raymon.data.features.fg_mode import LOOKED_AT
from raymon.errors import ConfigError, DataError
from raymon.protos.data_pb2 import FgMode
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import storage_path
from raymon.training.export import export_run
from raymon.training.input.fg_mode import resolve_fg_mode, why_ids_differ
from raymon.training.input.readers import features_of
from tests.checkpoints import saved_model

USER = 'id_feature { feature_name: "user" expression: "user:user" hash_bucket_size: 10 %s }'
PRICE = 'raw_feature { feature_name: "price" expression: "item:price" }'
RENAMED = 'raw_feature { feature_name: "cost" expression: "item:price" }'
CROSSED = (
    'combo_feature { feature_name: "crossed" expression: ["user:user", "item:price"] '
    "hash_bucket_size: 10 embedding_dim: 2 }"
)
NOT_SAID = 'id_feature { feature_name: "user" hash_bucket_size: 10 embedding_dim: 2 }'
IDS = {"user": [3, 9, None, 0], "price": [0.5, 1.0, None, 2.0], "click": [0, 1, 0, 1]}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Any:
    """What is logged about the fg_mode, whoever configured the logger."""
    monkeypatch.setattr("raymon.training.input.fg_mode._log", logging.getLogger("fg_mode"))
    caplog.set_level(logging.INFO, "fg_mode")
    return caplog


def config_of(folder: Path, *features: str, mode: str = "") -> PipelineConfig:
    texts = (f.replace("%s", "embedding_dim: 2") for f in features)
    number = "cost" if RENAMED in features else "price"
    blocks = "".join(f"feature_configs {{ {text} }}\n" for text in texts)
    (folder / "run.config").write_text(f"""
        train_input_path: "{folder}/rows.parquet"
        model_dir: "{folder}/run"
        train_config {{
          num_epochs: 1 save_checkpoints_steps: 1
          dense_optimizer {{ sgd_optimizer {{ lr: 0.001 }} }}
          sparse_optimizer {{ adagrad_optimizer {{ lr: 0.1 }} }}
        }}
        data_config {{ batch_size: 2 label_fields: "click" num_workers: 0 {mode} }}
        {blocks}
        model_config {{
          feature_groups {{ group_name: "wide" group_type: WIDE feature_names: "user" }}
          feature_groups {{ group_name: "fm" group_type: DEEP feature_names: "user" }}
          feature_groups {{
            group_name: "deep" group_type: DEEP feature_names: ["user", "{number}"]
          }}
          deepfm {{ deep {{ hidden_units: [4] }} }}
          losses {{ binary_cross_entropy {{}} }}
        }}
        ray_config {{ num_workers: 0 }}""")
    return load(folder / "run.config")


def written(folder: Path, **columns: Any) -> None:
    pq.write_table(pa.table({**IDS, **columns}), folder / "rows.parquet")


@pytest.mark.parametrize(
    ("features", "columns", "mode"),
    [
        ([USER, PRICE], {}, FgMode.FG_NONE),
        ([USER, PRICE], {"user": ["3", "9", None, "0"]}, FgMode.FG_NONE),
        ([USER, PRICE], {"user": ["3\x034", "9", None, "0"]}, FgMode.FG_NONE),
        ([NOT_SAID, PRICE], {"user": ["u3", "u9", None, "u0"]}, FgMode.FG_NONE),
        ([USER, PRICE], {"user": [3, 10, None, 0]}, FgMode.FG_DAG),
        ([USER, PRICE], {"user": [-1, 9, None, 0]}, FgMode.FG_DAG),
        ([USER, PRICE], {"user": ["u3", "u9", None, "u0"]}, FgMode.FG_DAG),
        ([USER, PRICE], {"user": ["0", "9", None, "08"]}, FgMode.FG_DAG),
        ([USER, PRICE], {"user": ["3\x0304", "9", None, "0"]}, FgMode.FG_DAG),
        ([USER, RENAMED], {}, FgMode.FG_DAG),
        ([USER, PRICE, CROSSED], {}, FgMode.FG_DAG),
        ([USER, PRICE, CROSSED], {"crossed": [1, 2, 3, 4]}, FgMode.FG_NONE),
        ([USER, RENAMED], {"cost": [1.0, 2.0, 3.0, 4.0]}, FgMode.FG_NONE),
    ],
)
def test_the_data_says_what_the_config_does_not(
    tmp_path: Path,
    log: pytest.LogCaptureFixture,
    features: list[str],
    columns: dict[str, Any],
    mode: FgMode,
) -> None:
    config = config_of(tmp_path, *features)
    written(tmp_path, **columns)
    found = resolve_fg_mode(config, ())
    assert found.data_config.fg_mode == mode
    assert (
        f"fg_mode is not given: {'columns hold' if mode == FgMode.FG_NONE else 'features are'}"
        in log.text
    )
    assert all(
        (feature.columns == (feature.name,)) == (mode == FgMode.FG_NONE)
        for feature in features_of(found)
        if feature.name != "user" and feature.name != "price"
    )


def test_columns_of_one_name_are_left_to_what_checks_them(tmp_path: Path) -> None:
    table = pa.table([[1], [2], [0.5], [1]], names=["user", "user", "price", "click"])
    pq.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(DataError, match="has several columns user; names must differ"):
        raymon.train(config_of(tmp_path, USER, PRICE))


def test_footers_are_looked_at_whole_and_rows_at_the_beginning(tmp_path: Path) -> None:
    config, rows = config_of(tmp_path, USER, PRICE), LOOKED_AT + 1
    ids = [0] * LOOKED_AT + [10]
    rest = {"price": [1.0] * rows, "click": [0] * rows}
    for users, mode in ((ids, FgMode.FG_DAG), ([str(i) for i in ids], FgMode.FG_NONE)):
        written(tmp_path, user=users, **rest)
        found = resolve_fg_mode(config, ())
        assert found.data_config.fg_mode == mode
    found.data_config.batch_size = rows
    with pytest.raises(DataError, match=r"value 10 is not in \[0, 10\)"):
        raymon.train(found)


def test_what_is_said_is_taken(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    written(tmp_path, user=["u3", "u9", None, "u0"])
    for mode in ("FG_NONE", "FG_NORMAL", "FG_DAG", "FG_BUCKETIZE"):
        config = config_of(tmp_path, USER, PRICE, mode=f"fg_mode: {mode}")
        assert resolve_fg_mode(config, ()) == config
    assert not log.messages
    with pytest.raises(DataError, match="value 'u3' is not an integer; columns hold encoded ids"):
        raymon.train(config_of(tmp_path, USER, PRICE, mode="fg_mode: FG_NONE"))


def test_of_datasets_the_expressions_say_it(tmp_path: Path) -> None:
    for feature, mode in ((USER, FgMode.FG_DAG), (NOT_SAID, FgMode.FG_NONE)):
        config = config_of(tmp_path, feature, PRICE)
        assert resolve_fg_mode(config, {"train"}).data_config.fg_mode == mode


def test_id_3_trains_row_3_and_what_is_not_applied_is_told(
    tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    written(tmp_path)
    normalized = PRICE.replace("expression", 'normalizer: "method=log10" expression')
    config = config_of(tmp_path, USER, normalized)
    raymon.train(config)
    assert "there is no effect of the normalizer of price" in log.text
    saved = read_saved(tmp_path / "run")
    assert saved.data_config.HasField("fg_mode")
    assert saved.data_config.fg_mode == FgMode.FG_NONE

    # After the first step, which sees ids 3 and 9, and after the second, which sees 0 alone.
    first, last = (saved_model(tmp_path / "run" / f"model.ckpt-{step}") for step in (1, 2))
    moved = [
        np.flatnonzero((table != last[name]).any(1).numpy()).tolist()
        for name, table in first.items()
        if table.shape[:1] == (10,)
    ]
    assert moved
    assert all(rows == [0] for rows in moved)
    model_dir = storage_path(tmp_path / "run")
    export_run(model_dir, storage_path(tmp_path / "export"))

    # The run continues with the mode that it had, even if the data shows another one.
    written(tmp_path, user=["u3", "u9", None, "u0"])
    resumed = resolve_fg_mode(config, (), resumed=True)
    assert resumed.data_config.fg_mode == FgMode.FG_NONE
    other = config_of(tmp_path, USER, PRICE, mode="fg_mode: FG_DAG")
    with pytest.raises(ConfigError, match=r"fg_mode: is FG_DAG, but the run in .* with FG_NONE"):
        resolve_fg_mode(other, (), resumed=True)
    assert "those of fg_mode FG_NONE, here it is FG_DAG" in str(why_ids_differ(other, model_dir))
    assert why_ids_differ(resumed, model_dir) is None
    exported = PipelineConfig()
    text_format.Parse((tmp_path / "export" / "features.config").read_text(), exported)
    assert exported.data_config.fg_mode == FgMode.FG_NONE
