"""TensorBoard has the config, the hyperparameters and the alerts of a run beside its curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_accumulator import (
    EventAccumulator as PluginEventAccumulator,
)
from tensorboard.plugins.hparams import metadata
from tensorboard.util import tensor_util

from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.results import Alert, Evaluation, Finding
from raymon.sinks import RunCard, TensorBoard
from raymon.sinks.tensorboard.hyperparameters import hyperparameters_of
from raymon.sinks.tensorboard.thin_events import thinned_records
from tests.sinks.snapshots import snapshot

CARD = RunCard(
    "train_config {\n  seed: 3  # *not* <b>markup</b>\n}\n",
    {"lr": 0.1, "model": "dlrm"},
    frozenset({"total_loss", "bce"}),
)


def read(directory: Path) -> EventAccumulator:
    return EventAccumulator(str(directory), size_guidance={"tensors": 0, "scalars": 0}).Reload()


def texts(directory: Path, tag: str) -> list[tuple[int, str]]:
    # As TensorBoard itself reads; the other accumulator takes back scalars alone.
    events = PluginEventAccumulator(str(directory), size_guidance={"tensors": 0}).Reload()
    return [
        (each.step, tensor_util.make_ndarray(each.tensor_proto).item().decode())
        for each in events.Tensors(tag)
    ]


def hparams(directory: Path) -> dict[str, Any]:
    events = read(directory)
    content = events.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    found = metadata.parse_session_start_info_plugin_data(content).hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in found.items()}


def test_a_loss_has_the_tag_of_training_in_evaluations(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"], card=CARD)
    board.write(snapshot(10, losses={"bce": 0.5}))
    board.write_evaluation(Evaluation(10, {"auc": 0.7, "bce": 0.6, "total_loss": 0.6}))
    board.close()
    evaluated = read(tmp_path / "eval_val")
    assert set(evaluated.Tags()["scalars"]) == {"metric/auc", "loss/bce", "loss/total"}
    assert {"loss/bce", "loss/total"} <= set(read(tmp_path).Tags()["scalars"])
    assert evaluated.Scalars("loss/total")[0].value == pytest.approx(0.6)


def test_the_config_is_text_once_and_again_where_it_was_taken_back(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"], card=CARD)
    for step in (10, 20):
        board.write(snapshot(step))
    ((step, text),) = texts(tmp_path, "config")
    assert step == 10
    # A block of code, in which nothing is markup.
    assert text.splitlines() == [f"    {line}" for line in CARD.config.splitlines()]
    board.roll_back(10, 10)
    board.write(snapshot(20))
    assert [step for step, _ in texts(tmp_path, "config")] == [10]
    board.roll_back(5, -1)
    board.write(snapshot(10))
    assert [step for step, _ in texts(tmp_path, "config")] == [10]


def test_the_hyperparameters_are_with_the_scores_of_evaluations(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, [], card=CARD)
    board.write_evaluation(Evaluation(10, {"auc": 0.7}))
    assert hparams(tmp_path / "eval_val") == {"lr": 0.1, "model": "dlrm"}
    # All evaluations are written again after a restart.
    board.roll_back(0, -1)
    board.write_evaluation(Evaluation(10, {"auc": 0.7}))
    assert hparams(tmp_path / "eval_val") == {"lr": 0.1, "model": "dlrm"}
    assert metadata.SESSION_START_INFO_TAG not in read(tmp_path).Tags()["tensors"]


def alert(step: int, *, is_over: bool = False) -> Alert:
    return Alert(Finding("straggler", "rank 3 is slow"), 2, step, 5.0, is_over)


def test_alerts_are_texts_that_a_roll_back_leaves(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"], card=CARD)
    board.write(snapshot(10))
    board.write_alert(alert(10))
    board.roll_back(5, 5)
    board.write_alert(alert(8, is_over=True))
    board.close()
    assert texts(tmp_path / "alerts", "alert/straggler") == [
        (10, "    began at step 10, in attempt 2: rank 3 is slow"),
        (8, "    over at step 8, in attempt 2: rank 3 is slow"),
    ]


def test_a_monitor_without_a_config_writes_no_card(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"])
    board.write(snapshot(10))
    board.write_evaluation(Evaluation(10, {"auc": 0.7}))
    board.close()
    assert read(tmp_path).Tags()["tensors"] == []
    assert read(tmp_path / "eval_val").Tags()["tensors"] == []


def test_thinning_keeps_texts_and_hyperparameters(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"], card=CARD)
    for step in range(10, 110, 10):
        board.write(snapshot(step))
        board.write_evaluation(Evaluation(step, {"auc": 0.7}))
        board.write_alert(alert(step))
    board.close()
    for _ in range(5):
        for directory in (tmp_path, tmp_path / "eval_val", tmp_path / "alerts"):
            (file,) = directory.glob("events.*")
            file.write_bytes(thinned_records(file.read_bytes()))
    assert len(read(tmp_path).Scalars("loss/total")) < 4
    assert len(texts(tmp_path, "config")) == 1
    assert len(texts(tmp_path / "alerts", "alert/straggler")) == 10
    assert hparams(tmp_path / "eval_val")["lr"] == 0.1


def test_the_hyperparameters_of_a_config_are_what_people_tune() -> None:
    config = text_format.Parse(
        """
        train_input_path: "a" model_dir: "b"
        train_config {
          num_epochs: 2 seed: 7 save_checkpoints_steps: 100 mixed_precision: "BF16"
          dense_optimizer { adam_optimizer { lr: 0.002 beta1: 0.8 } constant_learning_rate {} }
          sparse_optimizer { sgd_optimizer { lr: 0.5 } constant_learning_rate {} }
        }
        data_config { batch_size: 512 label_fields: "click" }
        feature_configs { id_feature { feature_name: "a" expression: "user:a" embedding_dim: 8 } }
        feature_configs { id_feature { feature_name: "b" expression: "user:b" embedding_dim: 16 } }
        feature_configs { raw_feature { feature_name: "c" expression: "user:c" } }
        model_config {
          feature_groups { group_name: "deep" feature_names: "a" }
          deepfm { deep { hidden_units: [64, 32] dropout_ratio: [0.1] use_bn: true } }
          losses { binary_cross_entropy {} } metrics { auc {} }
        }
        ray_config { num_workers: 4 }
        """,
        PipelineConfig(),
    )
    assert hyperparameters_of(config) == {
        "train_config.num_epochs": 2,
        "train_config.seed": 7,
        "train_config.mixed_precision": "BF16",
        "train_config.dense_optimizer.optimizer": "adam_optimizer",
        "train_config.dense_optimizer.adam_optimizer.lr": 0.002,
        "train_config.dense_optimizer.adam_optimizer.beta1": 0.8,
        "train_config.dense_optimizer.learning_rate": "constant_learning_rate",
        "train_config.sparse_optimizer.optimizer": "sgd_optimizer",
        "train_config.sparse_optimizer.sgd_optimizer.lr": 0.5,
        "train_config.sparse_optimizer.learning_rate": "constant_learning_rate",
        "data_config.batch_size": 512,
        "feature_configs.embedding_dim": "8, 16",
        "model_config.model": "deepfm",
        "model_config.deepfm.deep.hidden_units": "64, 32",
        "model_config.deepfm.deep.dropout_ratio": 0.1,
        "model_config.deepfm.deep.use_bn": True,
        "model_config.losses": "binary_cross_entropy",
        "ray_config.num_workers": 4,
    }
    card = RunCard.of(config)
    assert card.losses == {"binary_cross_entropy", "total_loss"}
    assert text_format.Parse(card.config, PipelineConfig()) == config
