"""The inputs of a rank: files, or the datasets that replace them."""

from __future__ import annotations

from raymon.data import DataReader, DatasetReader, Feature
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.input.datasets import EVAL, TRAIN, Datasets, dataset_reader
from raymon.training.input.feed import Feed
from raymon.training.input.planned_feed import PlannedFeed
from raymon.training.input.readers import eval_reader, train_reader
from raymon.training.input.unknown_length_feed import UnknownLengthFeed
from raymon.training.rank.worker_context import WorkerContext

EvalReader = DataReader | DatasetReader


class Inputs:
    """The inputs of one rank.

    Args:
        config: Pipeline config, with the paths of the files.
        features: Features of the model.
        datasets: Datasets that replace files.
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
        """Returns the source of the batches to train on."""
        config, rank, world_size = self._config, self._context.rank, self._context.world_size
        if TRAIN not in self._datasets:
            files = train_reader(config, self._features, rank, world_size)
            return PlannedFeed(config.train_config, files)
        reader = dataset_reader(self._datasets, TRAIN, config, self._features, rank, world_size)
        return UnknownLengthFeed(config.train_config, reader, self._context)

    def evaluation(self) -> EvalReader | None:
        """Returns the reader of the evaluation data; None if there is none."""
        rank, world_size = self._context.rank, self._context.world_size
        return evaluation_of_rank(self._config, self._features, self._datasets, rank, world_size)


def evaluation_of_rank(
    config: PipelineConfig,
    features: list[Feature],
    datasets: Datasets,
    rank: int,
    world_size: int,
) -> EvalReader | None:
    """Returns the reader of the evaluation data of a rank; None if there is none."""
    if EVAL in datasets:
        return dataset_reader(datasets, EVAL, config, features, rank, world_size)
    if config.eval_input_path:
        return eval_reader(config, features, rank, world_size)
    return None
