"""What follows from a config is that, on any number of workers."""

import pytest

from raymon.config import evaluates_asynchronously, share_of_batch, skips_bad_files, total_steps
from raymon.protos.data_pb2 import DataConfig, OnBadFile
from raymon.protos.eval_pb2 import EvalMode
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import TrainConfig


@pytest.mark.parametrize("world_size", [1, 3, 8])
def test_the_shares_of_a_global_batch_are_the_whole_and_differ_by_one_row(world_size: int) -> None:
    config = DataConfig(batch_size=7, global_batch_size=100)
    shares = [share_of_batch(config, rank, world_size) for rank in range(world_size)]
    assert sum(shares) == 100
    assert max(shares) - min(shares) <= 1


def test_without_a_global_batch_each_rank_has_the_batch_size() -> None:
    assert [share_of_batch(DataConfig(batch_size=7), rank, 3) for rank in range(3)] == [7] * 3


@pytest.mark.parametrize(("workers", "beside"), [(0, False), (2, True)])
def test_checkpoints_are_scored_beside_training_on_workers_alone(
    workers: int, beside: bool
) -> None:
    config = PipelineConfig()
    config.ray_config.num_workers = workers
    assert not evaluates_asynchronously(config)
    config.eval_config.mode = EvalMode.ASYNC
    assert evaluates_asynchronously(config) is beside


def test_epochs_are_steps_of_the_data_and_steps_are_steps() -> None:
    assert total_steps(TrainConfig(num_epochs=3), steps_per_epoch=40) == 120
    assert total_steps(TrainConfig(num_steps=50), steps_per_epoch=40) == 50


def test_bad_files_are_skipped_where_the_config_says_so() -> None:
    config = PipelineConfig()
    assert not skips_bad_files(config)
    config.data_config.on_bad_file = OnBadFile.SKIP
    assert skips_bad_files(config)
