"""What models with task towers have in common."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class MultiTaskModel(RankingModel):
    """A model with a tower for each task, over the features of its first group.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: All columns of labels.
        sample_weights: Columns of sample weights that towers name.

    Attributes:
        in_features: Length of the inputs of a row.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        self._group = config.feature_groups[0].group_name
        self.inputs = GroupedInputs(config, features, [self._group])
        self.in_features = self.inputs.width(self._group)

    def shared(self, batch: Batch) -> Tensor:
        """Returns the inputs of all towers, `[B, in_features]`."""
        inputs: Tensor = self.inputs(batch)[self._group]
        return inputs
