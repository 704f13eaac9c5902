"""MMoE: several mixtures of the same experts.

Ma et al., Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts,
2018.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.experts import MixtureOfExperts
from raymon.models.layers.task_tower import TaskTowers
from raymon.models.multi_task.multi_task_model import MultiTaskModel
from raymon.protos.model_pb2 import ModelConfig


class MMoE(MultiTaskModel):
    """Experts over the features of the first group; the tower of a task takes a mixture of them.

    The mixture of task k is the sum of the outputs of the experts, weighted by softmax of a linear
    map of the inputs, or of the output of `gate_mlp` over them (equations 6 and 7).

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
        mmoe = config.mmoe
        self.mixture = MixtureOfExperts(
            self.in_features,
            len(self.tasks),
            mmoe.num_expert,
            mmoe.expert_mlp,
            mmoe.gate_mlp if mmoe.HasField("gate_mlp") else None,
        )
        widths = [self.mixture.out_features] * len(self.tasks)
        self.towers = TaskTowers(widths, self.tasks, self.kinds)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of all towers, by name."""
        predictions: dict[str, Tensor] = self.towers(self.mixture(self.shared(batch)))
        return predictions
