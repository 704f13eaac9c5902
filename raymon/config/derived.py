"""Facts that follow from several fields of a config."""

from __future__ import annotations

from raymon.protos.data_pb2 import DataConfig, OnBadFile
from raymon.protos.eval_pb2 import EvalMode
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import TrainConfig


def evaluates_asynchronously(config: PipelineConfig) -> bool:
    """Whether checkpoints are scored while training goes on, by a task of Ray."""
    return config.eval_config.mode == EvalMode.ASYNC and config.ray_config.num_workers > 0


def skips_bad_files(config: PipelineConfig) -> bool:
    """Returns whether files that cannot be read are left out."""
    return config.data_config.on_bad_file == OnBadFile.SKIP


def share_of_batch(config: DataConfig, rank: int, world_size: int) -> int:
    """Returns the rows of a step on one rank, if the rows are divided evenly.

    Args:
        config: Config of the data.
        rank: Number of the rank.
        world_size: Number of ranks.
    """
    whole = config.global_batch_size
    if not whole:
        return int(config.batch_size)
    return int(whole * (rank + 1) // world_size - whole * rank // world_size)


def least_rows(config: DataConfig, world_size: int) -> int:
    """Returns the rows that the last step of an epoch has at least, of all ranks together."""
    return int(config.min_batch_size * (1 if config.global_batch_size else world_size))


def total_steps(config: TrainConfig, steps_per_epoch: int) -> int:
    """Returns the total number of steps of a run."""
    if config.HasField("num_epochs"):
        return int(config.num_epochs) * steps_per_epoch
    return int(config.num_steps)
