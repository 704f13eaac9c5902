"""The interface of a model to the training loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.embeddings import (
    EmbeddingCollection,
    EmbeddingTable,
    GrowingIds,
    ShardedEngine,
    ShardedTable,
)
from raymon.metrics import TrainMetricWrapper
from raymon.models.contract import check_predictions
from raymon.protos.model_pb2 import ModelConfig
from raymon.results import GroupFigures, ScoreCurves


class Model(nn.Module, ABC):
    """A model: it predicts, and knows its losses and metrics.

    A custom model derives from `RankingModel`, which makes losses and metrics from the config, or
    from this class, with its own loss and, if it wants any, its own metrics. In training every
    parameter must take part in every step.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.
    """

    draws_curves = False
    """Whether `metric_curves` has any of the values that `compute_metric` computes."""

    sharded: ShardedEngine | None = None
    """Engine of the tables of which every worker holds a part; None if there are none."""

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.config = config
        self.features = tuple(features)
        self.labels = tuple(labels)
        self.sample_weights = tuple(sample_weights)

    @abstractmethod
    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns predictions by name, each `[B]` or `[B, C]`."""

    def check_predictions(self, predictions: Mapping[str, Tensor], batch: Batch) -> None:
        """Checks what `predict` returned, before anything else uses it; it waits for no device.

        Raises:
            ModelError: It is not what losses and metrics take.
        """
        check_predictions(self, predictions, batch.size, {})

    @abstractmethod
    def loss(self, predictions: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Returns losses by name, float32 scalars; training minimises their sum.

        Each is the weighted mean over the rows of the batch, and 0 for a batch without rows.
        """

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Calls `predict`, so that `DistributedDataParallel` can wrap the model."""
        return self.predict(batch)

    def batch_weight(self, batch: Batch) -> float | dict[str, Tensor]:
        """Returns the weight of a batch in a mean of its losses over batches.

        Returns:
            The number of rows, or by loss name the sums of sample weights, scalars.
        """
        return float(batch.size)

    def init_metric(self) -> None:
        """Makes new metrics, on the device of the model; they move with it."""

    def update_metric(self, predictions: Mapping[str, Tensor], batch: Batch) -> None:
        """Adds a batch to the metrics of the evaluation."""

    def compute_metric(self) -> dict[str, Tensor]:
        """Returns the metrics of the evaluation by name, scalars, over all ranks."""
        return {}

    def metric_bounds(self) -> dict[str, Tensor]:
        """Returns the error bounds of the values that were computed last, by name."""
        return {}

    def metric_input_errors(self) -> dict[str, dict[str, int]]:
        """Returns what was wrong with the input of the values that were computed last.

        Returns:
            Counts by metric and by what was wrong, as in `{"auc": {"NaN scores": 37}}`; only what
            was found.
        """
        return {}

    def metric_details(self) -> dict[str, dict[str, float]]:
        """Returns what metrics counted along with the values computed last, by metric and name.

        Returns:
            As in `{"grouped_auc": {"groups": 37, "groups_skipped": 5}}`, for metrics that have any.
        """
        return {}

    def metric_curves(self) -> dict[str, ScoreCurves]:
        """Returns what plots show of the scores of the values that were computed last.

        Returns:
            Curves by the metric whose counts they are made of; empty if `draws_curves` was not set.
        """
        return {}

    def metric_groups(self) -> dict[str, GroupFigures]:
        """Returns how the figures of groups are distributed, of the values computed last."""
        return {}

    def metric_no_value(self) -> dict[str, str]:
        """Returns why metrics were NaN when they were computed last, by name."""
        return {}

    def metric_without_value(self) -> set[str]:
        """Returns the metrics of `metric_no_value` that have no value because of the rows.

        Metrics that are NaN because of what the model predicts are not among them.
        """
        return set()

    def reset_metric(self) -> None:
        """Resets the metrics of the evaluation."""

    def update_train_metric(self, predictions: Mapping[str, Tensor], batch: Batch) -> None:
        """Adds a batch to the decayed metrics of the training."""

    def compute_train_metric(self) -> dict[str, Tensor]:
        """Returns the decayed metrics by name, scalars."""
        return {name: metric.compute() for name, metric in self.train_metrics.items()}

    @property
    def train_metrics(self) -> Mapping[str, TrainMetricWrapper]:
        """The decayed metrics of the training by name."""
        return {}

    def whole_tables(self) -> list[EmbeddingTable]:
        """Returns the embedding tables that each worker has whole."""
        return [
            table
            for module in self.modules()
            if isinstance(module, EmbeddingCollection)
            for table in module.modules()
            if isinstance(table, EmbeddingTable)
        ]

    def sparse_tables(self) -> list[EmbeddingTable]:
        """Returns the embedding tables that are trained, and that each worker has whole."""
        return [table for table in self.whole_tables() if table.weight.requires_grad]

    def growing_tables(self) -> list[tuple[GrowingIds, EmbeddingTable | ShardedTable]]:
        """Returns the embedding tables that grow, each with the rows of its ids."""
        return [
            pair
            for module in self.modules()
            if isinstance(module, EmbeddingCollection)
            for pair in module.growing_tables()
        ]

    def dense_buffers(self) -> list[Tensor]:
        """Returns the buffers except those of tables that grow, which no rank has of its own."""
        growing = {id(b) for ids, _ in self.growing_tables() for b in ids.buffers()}
        return [buffer for buffer in self.buffers() if id(buffer) not in growing]

    def sparse_parameters(self) -> list[nn.Parameter]:
        """Returns the parameters of the embedding tables that are trained."""
        return [table.weight for table in self.sparse_tables()]

    def dense_parameters(self) -> list[nn.Parameter]:
        """Returns all other parameters that are trained."""
        sparse = {id(parameter) for parameter in self.sparse_parameters()}
        return [p for p in self.parameters() if p.requires_grad and id(p) not in sparse]
