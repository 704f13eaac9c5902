from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format

from raymon.config import load, locate
from raymon.errors import ConfigError
from raymon.protos.pipeline_pb2 import PipelineConfig
from tests.config.texts import TEXT, line_of, write


def message_of(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text))
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def test_a_right_config_is_what_protobuf_reads(tmp_path: Path) -> None:
    assert load(write(tmp_path)) == text_format.Parse(TEXT, PipelineConfig())


def test_a_value_that_is_given_twice_alike_is_that_value(tmp_path: Path) -> None:
    twice = TEXT.replace("num_steps: 10", "num_steps: 10\n  num_steps: 10")
    twice = twice.replace('model_dir: "out"', "model_dir: 'out' model_dir: \"out\"")
    assert load(write(tmp_path, twice)) == load(write(tmp_path))


WRONG = [
    ("num_steps: 10", "num_step: 10", "train_config.num_step", 'did you mean "num_steps"?'),
    ("num_steps: 10", "num_steps: -1", "train_config.num_steps", "is -1; must be an integer"),
    ("num_steps: 10", 'num_steps: "x"', "train_config.num_steps", "must be an integer, 0 or more"),
    ("num_steps: 10", "num_steps: 1e3", "train_config.num_steps", "is 1e3; must be an integer"),
    (
        "num_steps: 10",
        "num_epochs: 4294967296",
        "train_config.num_epochs",
        "must be an integer from 0 to 4294967295",
    ),
    ("num_steps: 10", "num_steps: 1 use_tensorboard: 7", "train_config.use_tensorboard", "true or"),
    ("num_steps: 10", "num_steps: 1 num_steps: 2", "train_config.num_steps", "is given twice"),
    ('model_dir: "out"', 'model_dir: "out" model_dir: "oat"', "model_dir", "is given twice"),
    (
        "num_steps: 10",
        "num_steps: 1 grad_scaler {} grad_scaler {}",
        "train_config.grad_scaler",
        "is given twice",
    ),
    ("lr: 0.001", "lr: fast", "train_config.dense_optimizer.adam_optimizer.lr", "must be a number"),
    (
        "adam_optimizer {",
        "adm_optimizer {",
        "train_config.dense_optimizer.adm_optimizer",
        "did you",
    ),
    (
        "adam_optimizer {",
        "rowwise_adagrad_optimizer {",
        "train_config.dense_optimizer.rowwise_adagrad_optimizer",
        "rowwise_adagrad_optimizer is for embedding tables; give it in sparse_optimizer",
    ),
    (
        "dense_optimizer {\n    adam_optimizer {",
        "dense_optimizer { adam_optimizer {} } sparse_optimizer { adadelta_optimizer {",
        "train_config.sparse_optimizer.adadelta_optimizer",
        "raymon does not have adadelta_optimizer for embedding tables yet; give one of "
        "sgd_optimizer",
    ),
    (
        "dense_optimizer {\n    adam_optimizer { lr: 0.001",
        "dense_optimizer { adam_optimizer {} } sparse_optimizer { sgd_optimizer { momentum: 0.9",
        "train_config.sparse_optimizer.sgd_optimizer.momentum",
        'unknown field "momentum"; there are lr, gradient_clipping, max_gradient',
    ),
    (
        "adam_optimizer {",
        "sgd_optimizer {} adam_optimizer {",
        "train_config.dense_optimizer.adam_optimizer",
        "is given beside sgd_optimizer; give one of them",
    ),
    ('label_fields: "y"', "label_fields: y", "data_config.label_fields[0]", "must be in quotes"),
    (
        'feature_names: "user" group_type: DEEP',
        'feature_names: "user" group_type: DEPP',
        "model_config.feature_groups[1].group_type",
        'unknown value "DEPP"; did you mean "DEEP"?',
    ),
    (
        "num_buckets: 9",
        "num_buckets: 9 use_mask: true",
        "feature_configs[0].id_feature.use_mask",
        "raymon does not have use_mask yet",
    ),
    (
        "metrics { auc {} }",
        'train_metrics { grouped_auc { grouping_key: "user_id" } }',
        "model_config.train_metrics[0].grouped_auc",
        "grouped_auc keeps all rows, so it is a metric of the evaluation; give it in metrics",
    ),
    (
        "metrics { auc {} }",
        "train_metrics { xauc { max_pairs: 100 } }",
        "model_config.train_metrics[0].xauc.max_pairs",
        "draws from all rows",
    ),
    (
        'expression: "user:a"',
        "",
        "feature_configs[1].raw_feature.expression",
        "is missing; it must be given",
    ),
    (
        "metrics { auc {} }",
        "metrics { custom_metric { name: '' } }",
        "model_config.metrics[0].custom",
        "is empty",
    ),
    (
        "metrics { auc {} }",
        'metrics { grouped_auc { grouping_key: "" } }',
        "model_config.metrics[0].grouped_auc.grouping_key",
        "is empty",
    ),
    (
        'label_fields: "y"',
        'label_fields: ["y", ""]',
        "data_config.label_fields[1]",
        "is empty; give a name",
    ),
    ("num_buckets: 9", 'vocab_file: ""', "feature_configs[0].id_feature.vocab_file", "is empty"),
    (
        'feature_name: "age"',
        'feature_name: ""',
        "feature_configs[1].raw_feature.feature_name",
        "is empty",
    ),
    (
        'label_fields: "y"',
        'label_fields: "y" label_map { key: "a" value: 0 } label_map { value: 1 key: "a" }',
        "data_config.label_map[1]",
        'key "a" is given twice, first at',
    ),
    (
        "num_buckets: 9",
        'vocab_dict: [{ key: "a" value: 2 }, { key: "b" value: 3 }, { key: "a" value: 4 }]',
        "feature_configs[0].id_feature.vocab_dict[2]",
        'key "a" is given twice, first at',
    ),
    ("metrics { auc {} }", "metrics [ auc {}", "model_config.metrics[0]", "is not protobuf text"),
    ("num_steps: 10", "num_steps 10", "train_config", "is not protobuf text"),
]


@pytest.mark.parametrize(("old", "new", "path", "remedy"), WRONG)
def test_an_error_names_file_line_field_and_remedy(
    tmp_path: Path, old: str, new: str, path: str, remedy: str
) -> None:
    message = message_of(tmp_path, TEXT.replace(old, new))
    assert message.startswith(f"run.config:{line_of(old)}: {path}")
    assert remedy in message


def test_a_block_that_is_not_closed_is_told(tmp_path: Path) -> None:
    assert "is not protobuf text" in message_of(tmp_path, TEXT.rstrip()[:-1])


def test_a_missing_field_of_the_whole_is_on_the_first_line(tmp_path: Path) -> None:
    message = message_of(tmp_path, TEXT.replace('model_dir: "out"\n', ""))
    assert message == "run.config:1: model_dir: is missing; it must be given"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_is_no_text_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.config"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"x\.config: (no such file|is not text)"):
        load(path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_line_ends_and_a_byte_order_mark_change_nothing(
    tmp_path: Path, end: str, encoding: str
) -> None:
    path = tmp_path / "x.config"
    path.write_bytes(TEXT.replace("\n", end).encode(encoding))
    assert load(path) == text_format.Parse(TEXT, PipelineConfig())
    path.write_bytes(TEXT.replace("num_steps", "num_step").replace("\n", end).encode(encoding))
    with pytest.raises(ConfigError, match=f"x.config:{line_of('num_steps')}: "):
        load(path)


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_variables_in_paths_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, TEXT.replace('"in"', '"${RAYMON_TEST_DIR}/train"'))
    monkeypatch.setenv("RAYMON_TEST_DIR", "/data")
    assert load(path).train_input_path == "/data/train"
    monkeypatch.setenv("RAYMON_TEST_DIR", "\udcff")
    with pytest.raises(ConfigError, match="RAYMON_TEST_DIR in the environment is not text in UTF"):
        load(path)
    monkeypatch.delenv("RAYMON_TEST_DIR")
    with pytest.raises(ConfigError, match=r"RAYMON_TEST_DIR; set it, or give --set train_input_pa"):
        load(path)
    assert load(path, ["train_input_path=here"]).train_input_path == "here"
    monkeypatch.setenv("RAYMON_TEST_DIR", "/data")
    words = TEXT.replace("num_buckets: 9", 'vocab_file: "${RAYMON_TEST_DIR}/words"')
    config = load(
        write(tmp_path, words), ["train_config.fine_tune_checkpoint=${RAYMON_TEST_DIR}/a"]
    )
    assert config.feature_configs[0].id_feature.vocab_file == "/data/words"
    assert config.train_config.fine_tune_checkpoint == "/data/a"


def test_errors_of_other_rooms_are_located(tmp_path: Path) -> None:
    path = write(tmp_path)
    error = ConfigError("feature_configs[0].id_feature.pooling: is wrong")
    assert str(locate(error, path)).startswith(
        f"{path}:{line_of('id_feature')}: feature_configs[0]"
    )
    override = "feature_configs[0].id_feature.pooling=max"
    expected = f"--set {override}: feature_configs[0].id_feature.pooling: is wrong"
    assert str(locate(error, path, [override])) == expected
