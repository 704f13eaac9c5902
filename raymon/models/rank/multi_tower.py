"""MLPs over groups of features, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class MultiTower(RankingModel):
    """An MLP over each group, whose outputs are concatenated, and an MLP over these, `final`.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        block = config.multi_tower
        self._groups = [tower.input for tower in block.towers]
        self.inputs = GroupedInputs(config, features, list(dict.fromkeys(self._groups)))
        towers = [MLP(self.inputs.width(tower.input), tower.mlp) for tower in block.towers]
        self.towers = nn.ModuleList(towers)
        out_features = sum(tower.out_features for tower in towers)
        self.final_mlp = MLP(out_features, block.final) if block.HasField("final") else None
        if self.final_mlp is not None:
            out_features = self.final_mlp.out_features
        self.head = Head(out_features, self.kinds, config.num_class)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs = self.inputs(batch)
        towers = zip(self.towers, self._groups, strict=True)
        hidden = torch.cat([tower(inputs[group]) for tower, group in towers], dim=1)
        if self.final_mlp is not None:
            hidden = self.final_mlp(hidden)
        predictions: dict[str, Tensor] = self.head(hidden)
        return predictions
