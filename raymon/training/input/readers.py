"""The readers of the files that a config names, and the columns that they read."""

from __future__ import annotations

from raymon.config import least_rows, skips_bad_files, trained_weights
from raymon.data import (
    Columns,
    DataReader,
    Feature,
    Position,
    format_of,
    pipeline_features,
)
from raymon.models import grouping_keys, label_classes, label_kinds, session_keys
from raymon.protos.model_pb2 import JAGGED_SEQUENCE, SEQUENCE
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.input.samplers import eval_sampler, sampler_keys, train_sampler


def train_reader(
    config: PipelineConfig, features: list[Feature], rank: int, world_size: int
) -> DataReader:
    """Makes the reader of `train_input_path` for one rank."""
    data = config.data_config
    return DataReader(
        config.train_input_path,
        columns_of(config, features),
        batch_size=data.batch_size,
        global_batch_size=data.global_batch_size or None,
        streams=data.num_streams,
        rank=rank,
        world_size=world_size,
        shuffle=data.shuffle,
        shuffle_buffer_size=data.shuffle_buffer_size,
        seed=config.train_config.seed,
        drop_remainder=data.drop_remainder,
        min_rows=least_rows(data, world_size),
        num_workers=data.num_workers,
        skip_bad_files=skips_bad_files(config),
        file_format=format_of(config.data_config),
        sampler=train_sampler(config, features),
    )


def eval_reader(
    config: PipelineConfig, features: list[Feature], rank: int, world_size: int
) -> DataReader:
    """Makes the reader of `eval_input_path` for one rank."""
    data = config.data_config
    return DataReader(
        config.eval_input_path,
        columns_of(config, features, evaluation=True),
        batch_size=data.eval_batch_size or data.batch_size,
        rank=rank,
        world_size=world_size,
        num_workers=data.num_workers,
        skip_bad_files=skips_bad_files(config),
        file_format=format_of(config.data_config),
        sampler=eval_sampler(config, features),
    )


def features_of(config: PipelineConfig) -> list[Feature]:
    """Returns the features of a config."""
    return pipeline_features(config)


def columns_of(
    config: PipelineConfig, features: list[Feature], *, evaluation: bool = False
) -> Columns:
    """Returns the columns that training reads, or those that an evaluation reads."""
    keys = [
        *session_keys(config),
        *(grouping_keys(config) if evaluation else ()),
        *sampler_keys(config),
    ]
    return Columns(
        features,
        label_kinds(config),
        # Several labels may share one column.
        list(dict.fromkeys(trained_weights(config))),
        list(dict.fromkeys(keys)),
        label_classes(config),
        dict(config.data_config.label_map),
        sequences_together(config),
    )


def sequences_together(config: PipelineConfig) -> list[list[str]]:
    """Returns the names of the features that a model takes as one sequence and its query."""
    together = []
    for group in config.model_config.feature_groups:
        if group.group_type in (SEQUENCE, JAGGED_SEQUENCE):
            together.append(list(group.feature_names))
        together += [list(sequence.feature_names) for sequence in group.sequence_groups]
    return together


def steps_to_go(config: TrainConfig, reader: DataReader, step: int, position: Position) -> int:
    """Returns the steps that a run still makes after `step` steps, at a position in its data."""
    if not config.HasField("num_epochs"):
        return max(0, int(config.num_steps) - step)
    epochs = int(config.num_epochs) - position.epoch
    if epochs <= 0:
        return 0
    return reader.steps_from(position.row) + (epochs - 1) * reader.steps_per_epoch
