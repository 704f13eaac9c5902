"""What a run is asked to do, in a form that travels to workers."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.config import trained_weights
from raymon.data import (
    Columns,
    DataReader,
    Feature,
    FileFormat,
    Position,
    format_of,
    pipeline_features,
)
from raymon.models import grouping_keys, label_kinds
from raymon.protos.data_pb2 import DataConfig, OnBadFile
from raymon.protos.eval_pb2 import EvalMode
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import TrainConfig


@dataclass(frozen=True)
class Job:
    """A pipeline config whose paths are absolute, and the run that it belongs to.

    Attributes:
        serialized_config: The `PipelineConfig`, as bytes.
        checkpoint: A checkpoint to evaluate; None where the job is to train.
    """

    serialized_config: bytes
    checkpoint: str | None = None

    @property
    def config(self) -> PipelineConfig:
        """The config."""
        return PipelineConfig.FromString(self.serialized_config)


def train_reader(
    config: PipelineConfig, features: list[Feature], rank: int, world_size: int
) -> DataReader:
    """The reader of one rank of `train_input_path`."""
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
        num_workers=data.num_workers,
        skip_bad_files=skips_bad_files(config),
        file_format=file_format(config),
    )


def eval_reader(
    config: PipelineConfig, features: list[Feature], rank: int, world_size: int
) -> DataReader:
    """The reader of one rank of `eval_input_path`."""
    data = config.data_config
    return DataReader(
        config.eval_input_path,
        columns_of(config, features, evaluation=True),
        batch_size=data.eval_batch_size or data.batch_size,
        rank=rank,
        world_size=world_size,
        num_workers=data.num_workers,
        skip_bad_files=skips_bad_files(config),
        file_format=file_format(config),
    )


def features_of(config: PipelineConfig) -> list[Feature]:
    """The features of a config."""
    return pipeline_features(config)


def share_of_batch(config: DataConfig, rank: int, world_size: int) -> int:
    """Rows of a step on one rank, where every rank has its even part."""
    whole = config.global_batch_size
    if not whole:
        return int(config.batch_size)
    return int(whole * (rank + 1) // world_size - whole * rank // world_size)


def columns_of(
    config: PipelineConfig, features: list[Feature], *, evaluation: bool = False
) -> Columns:
    """The columns that training reads, or those that an evaluation reads."""
    model = config.model_config
    return Columns(
        features,
        label_kinds(config),
        # Several labels may have one column.
        list(dict.fromkeys(trained_weights(config))),
        grouping_keys(config) if evaluation else (),
        model.num_class if model.num_class > 1 else None,
        dict(config.data_config.label_map),
    )


def total_steps(config: TrainConfig, steps_per_epoch: int) -> int:
    """Steps that a run makes in all."""
    if config.HasField("num_epochs"):
        return int(config.num_epochs) * steps_per_epoch
    return int(config.num_steps)


def steps_to_go(config: TrainConfig, reader: DataReader, step: int, position: Position) -> int:
    """Steps that a run still makes after `step` of them, where it is at a position in its data."""
    if not config.HasField("num_epochs"):
        return max(0, int(config.num_steps) - step)
    epochs = int(config.num_epochs) - position.epoch
    if epochs <= 0:
        return 0
    return reader.steps_from(position.row) + (epochs - 1) * reader.steps_per_epoch


def evaluates_beside(config: PipelineConfig) -> bool:
    """Whether checkpoints are scored while training goes on, by a task of Ray."""
    return config.eval_config.mode == EvalMode.ASYNC and config.ray_config.num_workers > 0


def file_format(config: PipelineConfig) -> FileFormat:
    """Of the files with the data."""
    return format_of(config.data_config)


def skips_bad_files(config: PipelineConfig) -> bool:
    """Whether files that cannot be read are left out."""
    return config.data_config.on_bad_file == OnBadFile.SKIP
