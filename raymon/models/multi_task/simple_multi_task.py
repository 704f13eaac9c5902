"""Towers that share the embeddings of their inputs, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.task_tower import TaskTowers
from raymon.models.multi_task.multi_task_model import MultiTaskModel
from raymon.protos.model_pb2 import ModelConfig


class SimpleMultiTask(MultiTaskModel):
    """A tower for each task, over all features of the first group (Caruana 1997).

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: All columns of labels.
        sample_weights: Columns of sample weights that towers name.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        widths = [self.in_features] * len(self.tasks)
        self.towers = TaskTowers(widths, self.tasks, self.kinds)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of all towers, by name."""
        predictions: dict[str, Tensor] = self.towers([self.shared(batch)] * len(self.tasks))
        return predictions
