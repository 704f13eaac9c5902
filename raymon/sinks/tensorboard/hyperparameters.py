"""The fields of a config that people tune, as hyperparameters of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import Message

from raymon.config import feature_blocks, named_losses, pipeline_tasks
from raymon.protos.pipeline_pb2 import PipelineConfig

Value = float | bool | str

_TUNED = (
    "train_config.sparse_optimizer",
    "train_config.dense_optimizer",
    "train_config.num_steps",
    "train_config.num_epochs",
    "train_config.mixed_precision",
    "train_config.gradient_accumulation_steps",
    "train_config.grad_clipping",
    "train_config.early_stopping",
    "train_config.seed",
    "data_config.batch_size",
    "model_config",
    "ray_config.num_workers",
)
"""Paths of fields, and of messages all of whose fields count."""


def hyperparameters_of(config: PipelineConfig) -> dict[str, Value]:
    """Returns the hyperparameters of a run: those fields that are set, by path.

    Which of several kinds of models, optimizers or schedules it is, is at the path of what it is
    one of, such as `train_config.dense_optimizer.optimizer`. The losses of a model, and the
    dimensions of the features, are one hyperparameter each.
    """
    found = {path: value for path, value in _fields(config, "") if _is_tuned(path)}
    losses = [loss.name for loss in named_losses(pipeline_tasks(config))]
    if losses:
        found["model_config.losses"] = ", ".join(losses)
    features = [block.config for block in feature_blocks(config.feature_configs)]
    dims = {each.embedding_dim for each in features if each.HasField("embedding_dim")}
    if dims:
        found["feature_configs.embedding_dim"] = _joined(sorted(dims))
    return found


def _is_tuned(path: str) -> bool:
    return any(path == tuned or path.startswith(f"{tuned}.") for tuned in _TUNED)


def _fields(message: Message, prefix: str) -> Iterator[tuple[str, Value]]:
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.message_type is not None:
            if field.containing_oneof is not None:
                yield f"{prefix}{field.containing_oneof.name}", str(field.name)
            if not field.is_repeated:
                yield from _fields(value, f"{path}.")
        elif field.is_repeated:
            yield path, _joined(value)
        elif field.enum_type is not None:
            yield path, str(field.enum_type.values_by_number[value].name)
        else:
            yield path, value


def _joined(values: Iterable[Any]) -> Value:
    """Returns a list as one value: a single number stays one."""
    listed = list(values)
    if len(listed) == 1:
        only: Value = listed[0]
        return only
    return ", ".join(f"{each:g}" if isinstance(each, float) else str(each) for each in listed)
