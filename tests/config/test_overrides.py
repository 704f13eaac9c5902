from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from raymon.config.overrides import apply_overrides
from raymon.config.source import Source
from raymon.errors import ConfigError
from raymon.protos.pipeline_pb2 import PipelineConfig
from tests.config.texts import TEXT


def config_with(overrides: Mapping[str, object] | Sequence[str]) -> PipelineConfig:
    config = text_format.Parse(TEXT, PipelineConfig())
    apply_overrides(config, overrides, Source("run.config"))
    return config


def test_nested_fields_are_set() -> None:
    config = config_with(["train_config.dense_optimizer.adam_optimizer.lr=0.5", "model_dir=a=b"])
    assert config.train_config.dense_optimizer.adam_optimizer.lr == 0.5
    assert config.model_dir == "a=b"


@pytest.mark.parametrize(
    ("given", "meant"),
    [('"a b"', "a b"), ("'a'", "a"), (r'"\t"', "\t"), (r'"\"é"', '"é'), ('""', "")]
    + [(plain, plain) for plain in ['"a', 'a"b"', r"\t", "'", '"a" "b"', "a,'b'"]],
)
def test_a_string_in_quotes_is_what_it_is_in_a_config(given: str, meant: str) -> None:
    assert config_with([f"model_dir={given}"]).model_dir == meant


@pytest.mark.parametrize("key", ["feature_configs[0]", "feature_configs.0"])
def test_items_of_a_list_are_set_by_index(key: str) -> None:
    config = config_with([f"{key}.id_feature.embedding_dim=8"])
    assert config.feature_configs[0].id_feature.embedding_dim == 8


@pytest.mark.parametrize("key", ["model_config.metrics[+]", "model_config.metrics+"])
@pytest.mark.parametrize("value", ["accuracy {}", "{ accuracy {} }"])
def test_an_item_is_appended(key: str, value: str) -> None:
    metrics = config_with([f"{key}={value}"]).model_config.metrics
    assert [metric.WhichOneof("metric") for metric in metrics] == ["auc", "accuracy"]


def test_a_list_is_appended_to_or_replaced() -> None:
    summaries = "train_config.tensorboard_summaries"
    config = config_with([f"{summaries}+=parameter", f"{summaries}+=gradient"])
    assert list(config.train_config.tensorboard_summaries) == ["parameter", "gradient"]
    assert list(config_with(["data_config.label_fields=z"]).data_config.label_fields) == ["z"]
    units = config_with(["model_config.dlrm.final.hidden_units=[64, 32]"]).model_config.dlrm.final
    assert list(units.hidden_units) == [64, 32]


def test_entries_of_a_map_are_set_and_removed() -> None:
    key = "ray_config.resources_per_worker"
    config = config_with([f"{key}.CPU=2", f"{key}.accelerator_type:A100=0.5", f"{key}.CPU="])
    assert dict(config.ray_config.resources_per_worker) == {"accelerator_type:A100": 0.5}


def test_a_message_is_given_as_text() -> None:
    config = config_with(['train_config.grad_clipping={clipping_type: "norm"}'])
    assert config.train_config.grad_clipping.clipping_type == "norm"
    assert not config.train_config.grad_clipping.HasField("max_gradient")


def test_an_empty_value_clears() -> None:
    config = config_with(["eval_input_path=", "feature_configs[0]=", "model_config.metrics="])
    assert not config.HasField("eval_input_path")
    assert len(config.feature_configs) == 1
    assert config.feature_configs[0].HasField("raw_feature")
    assert not config.model_config.metrics


def test_a_field_of_an_exclusive_pair_replaces_the_other() -> None:
    train = config_with(["train_config.num_epochs=2"]).train_config
    assert train.num_epochs == 2
    assert not train.HasField("num_steps")
    both = config_with(["train_config.num_epochs=2", "train_config.num_steps=3"]).train_config
    assert both.HasField("num_epochs")
    assert both.HasField("num_steps")
    assert config_with(["train_config.num_epochs="]).train_config.num_steps == 10


def test_an_optimizer_replaces_the_other() -> None:
    config = config_with(["train_config.dense_optimizer.sgd_optimizer.lr=1"])
    assert config.train_config.dense_optimizer.WhichOneof("optimizer") == "sgd_optimizer"


@pytest.mark.parametrize("between", ["\t", " ", ";"])
def test_a_blank_alone_is_a_value(between: str) -> None:
    config = config_with([f"data_config.delimiter={between}", "model_dir=  out "])
    assert (config.data_config.delimiter, config.model_dir) == (between, "out")


def test_a_mapping_has_python_values() -> None:
    config = config_with(
        {
            "train_config.num_steps": 7,
            "train_config.use_tensorboard": False,
            "train_config.dense_optimizer.adam_optimizer.lr": 1e-3,
            "data_config.label_fields": ['a"b', "c"],
            "model_config.dlrm.final.hidden_units": (3, 4),
            "eval_input_path": None,
        }
    )
    assert config.train_config.num_steps == 7
    assert not config.train_config.use_tensorboard
    assert list(config.data_config.label_fields) == ['a"b', "c"]
    assert list(config.model_config.dlrm.final.hidden_units) == [3, 4]
    assert not config.HasField("eval_input_path")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1))
def test_a_string_is_taken_as_it_is(text: str) -> None:
    assert config_with({"model_dir": text}).model_dir == text


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train_config.num_steps", "has no value; write KEY=VALUE"),
        (
            "train_config.num_step=1",
            'num_step: unknown field "num_step"; did you mean "num_steps"?',
        ),
        ("train_config.num_steps=x", "train_config.num_steps: is x; must be an integer"),
        ("train_config.num_steps+=1", "is no list; write = in place of"),
        ("train_config.num_steps.x=1", "has no fields, so no x"),
        ("feature_configs[9].id_feature={}", "feature_configs: has no item 9; it has items 0 to 1"),
        ("feature_configs.id_feature={}", "feature_configs: has no item id_feature"),
        ("ray_config.resources_per_worker=2", "is a map; write ray_config.resources_per_worker.K"),
        ("train_config.grad_clipping={type: 1}", "train_config.grad_clipping.type: unknown field"),
        ("model_config.tdm={}", "raymon does not have tdm yet"),
        ("data_config.dataset_type=OdpsDataset", "OdpsDataset"),
        ("model_config.metrics+=acuracy {}", 'did you mean "accuracy"?'),
        ("model_dir=\udcff", "is not text in UTF-8"),
        ("ray_config={address: '\udcff'}", "is not text in UTF-8"),
    ],
)
def test_an_override_that_is_wrong_is_named(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config_with([override])
    assert str(caught.value).startswith(f"--set {override}: ")
    assert message in str(caught.value)
