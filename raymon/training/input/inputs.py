"""What a rank reads: files, or the datasets that take their place."""

from __future__ import annotations

from raymon.data import DataReader, DatasetReader, Feature
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.input.datasets import EVAL, TRAIN, Datasets, dataset_reader
from raymon.training.input.feed import Feed
from raymon.training.input.planned_feed import PlannedFeed
from raymon.training.input.readers import eval_reader, train_reader
from raymon.training.input.unknown_length_feed import AgreedFeed
from raymon.training.rank.worker_context import WorkerContext

EvalReader = DataReader | DatasetReader


class Inputs:
    """The inputs of one rank.

    Args:
        config: Says where the files are.
        features: Of the model.
        datasets: In place of files.
        context: The world of this rank.
    """

    def __init__(
        self,
        config: PipelineConfig,
        features: list[Feature],
        datasets: Datasets,
        context: WorkerContext,
    ) -> None:
        self._config = config
        self._features = features
        self._datasets = datasets
        self._context = context

    def feed(self) -> Feed:
        """The batches to train on."""
        config, rank, world_size = self._config, self._context.rank, self._context.world_size
        if TRAIN not in self._datasets:
            files = train_reader(config, self._features, rank, world_size)
            return PlannedFeed(config.train_config, files)
        reader = dataset_reader(self._datasets, TRAIN, config, self._features, rank, world_size)
        return AgreedFeed(config.train_config, reader, self._context)

    def evaluation(self) -> EvalReader | None:
        """What the model is scored on; None where there is nothing."""
        rank, world_size = self._context.rank, self._context.world_size
        return evaluation_of_rank(self._config, self._features, self._datasets, rank, world_size)


def evaluation_of_rank(
    config: PipelineConfig,
    features: list[Feature],
    datasets: Datasets,
    rank: int,
    world_size: int,
) -> EvalReader | None:
    """What a rank scores a model on; None where there is nothing."""
    if EVAL in datasets:
        return dataset_reader(datasets, EVAL, config, features, rank, world_size)
    if config.eval_input_path:
        return eval_reader(config, features, rank, world_size)
    return None
