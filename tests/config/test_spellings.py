from __future__ import annotations

import logging
from pathlib import Path

import pytest
from google.protobuf import text_format

from raymon.config import load
from raymon.data import pipeline_features
from raymon.errors import ConfigError
from raymon.protos.data_pb2 import FgMode, FieldType
from raymon.protos.model_pb2 import FeatureGroupType
from tests.config.texts import TEXT, write

NO_MODE = TEXT.replace("  fg_mode: FG_DAG\n", "")


@pytest.mark.parametrize(("given", "mode"), [("true", "FG_NONE"), ("false", "FG_NORMAL")])
def test_fg_encoded_is_an_fg_mode(tmp_path: Path, given: str, mode: str) -> None:
    data = load(write(tmp_path, NO_MODE), [f"data_config.fg_encoded={given}"]).data_config
    assert FgMode.Name(data.fg_mode) == mode
    assert not data.HasField("fg_encoded")
    # Saved configs say it once, and one that says it twice alike is right.
    both = ["data_config.fg_encoded=false", "data_config.fg_mode=FG_BUCKETIZE"]
    assert load(write(tmp_path), both).data_config.fg_mode == FgMode.FG_BUCKETIZE


def test_fg_encoded_that_contradicts_fg_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"fg_encoded: is true, but fg_mode is FG_DAG; leave out"):
        load(write(tmp_path), ["data_config.fg_encoded=true"])


def test_columns_in_one_line_are_input_fields(tmp_path: Path) -> None:
    columns = "a:BIGINT; b : INT;c:string;d:ARRAY<BIGINT>;e:MAP<STRING,DOUBLE>;f:ARRAY_ARRAY_FLOAT;"
    config = load(write(tmp_path), {"data_config.input_fields_str": columns})
    fields = config.data_config.input_fields
    assert [(each.input_name, FieldType.Name(each.input_type)) for each in fields] == [
        ("a", "INT64"), ("b", "INT32"), ("c", "STRING"), ("d", "ARRAY_INT64"),
        ("e", "MAP_STRING_DOUBLE"), ("f", "ARRAY_ARRAY_FLOAT"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"input_fields_str": "a"}, '"a" is no column; write "name:TYPE;name:TYPE"'),
        ({"input_fields_str": "a:STRIN"}, 'unknown type "STRIN"; did you mean "STRING"'),
        (
            {"input_fields": [{"input_name": "b"}], "input_fields_str": "a:INT"},
            "is given beside input_fields; give one of them",
        ),
        (
            {"input_fields_str": "a:ARRAY_INT64", "dataset_type": "CsvDataset"},
            "input_fields[0].input_type: is ARRAY_INT64, which no CSV file holds; leave it out",
        ),
        ({"min_batch_size": 1025}, "is 1025; must be at most the 1024 rows of a batch"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path), {f"data_config.{name}": value for name, value in given.items()})
    assert said in str(caught.value)


def test_param_optimizers_are_part_optimizers(tmp_path: Path) -> None:
    older = (
        "{regex_pattern: 'a.*' sgd_optimizer {lr: 0.5} "
        "param_learning_rate { manual_step_learning_rate { schedule_sizes: 3 learning_rates: 1 } }}"
    )
    place = "train_config.dense_optimizer.param_optimizers"
    config = load(
        write(tmp_path),
        [f"{place}+={older}", f"{place}+={{regex_pattern: 'b' adam_optimizer {{}}}}"],
    )
    dense = config.train_config.dense_optimizer
    expected = text_format.Parse(
        "part_optimizers { regex_pattern: 'a.*' sgd_optimizer {lr: 0.5} "
        "manual_step_learning_rate { schedule_sizes: 3 learning_rates: 1 } } "
        "part_optimizers { regex_pattern: 'b' adam_optimizer {} }",
        type(dense)(),
    )
    assert dense.part_optimizers == expected.part_optimizers
    assert not dense.param_optimizers


def test_a_vocabulary_is_in_its_asset_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDS", "words")
    place = "feature_configs[0].id_feature"
    text = TEXT.replace("num_buckets: 9", 'vocab_file: "a.txt" asset_dir: "${WORDS}/"')
    config = load(write(tmp_path, text))
    assert config.feature_configs[0].id_feature.vocab_file == "words/a.txt"
    assert not config.feature_configs[0].id_feature.HasField("asset_dir")
    absolute = load(write(tmp_path, text), [f"{place}.vocab_file=/b.txt"])
    assert absolute.feature_configs[0].id_feature.vocab_file == "/b.txt"


def test_a_group_is_deep_unless_it_says_more(tmp_path: Path) -> None:
    config = load(write(tmp_path, TEXT.replace(" group_type: DEEP", "")))
    assert config.model_config.feature_groups[0].group_type == FeatureGroupType.DEEP
    assert not config.model_config.feature_groups[0].HasField("group_type")


@pytest.mark.parametrize(
    "field",
    ["fg_threads=2", "force_base_data_group=true", "is_orderby_partition=true", "in_order=false",
     "odps_data_quota_name=q", "odps_data_compression=ZSTD"],
)  # fmt: skip
def test_what_is_of_other_readers_has_no_effect_and_is_told(
    tmp_path: Path, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load(write(tmp_path), [f"data_config.{field}"])
    assert [r for r in caplog.records if "has no effect" in r.getMessage()]


def test_a_feature_of_no_group_needs_no_embedding(tmp_path: Path) -> None:
    feature = 'feature_name: "t" expression: "user:t" num_buckets: 9'
    unused = f"feature_configs {{ id_feature {{ {feature} }} }}"
    text = TEXT.replace("model_config {", f"{unused}\nmodel_config {{", 1)
    config = load(write(tmp_path, text))
    assert [feature.name for feature in pipeline_features(config)] == ["user", "age"]
    with pytest.raises(ConfigError, match=r"\[2\]\.id_feature\.embedding_dim: must be given"):
        pipeline_features(load(write(tmp_path, text.replace(': "user" g', ': ["user", "t"] g'))))
