"""DCN: Wang et al., Deep & Cross Network for Ad Click Predictions, 2017 (arXiv:1708.05123)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.cross import CrossNet
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class DCNV1(RankingModel):
    """Cross layers and a deep MLP over one group, side by side, and an MLP over both.

    The last linear map, one for each label, has no bias.

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
        dcn = config.dcn_v1
        self._group = config.feature_groups[0].group_name
        self.inputs = GroupedInputs(config, features, [self._group])
        width = self.inputs.width(self._group)
        self.cross = CrossNet(width, dcn.cross.cross_num)
        self.deep_mlp = MLP(width, dcn.deep)
        self.final_mlp = MLP(width + self.deep_mlp.out_features, dcn.final)
        self.head = Head(self.final_mlp.out_features, self.kinds, config.num_class, bias=False)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs = self.inputs(batch)[self._group]
        both = torch.cat([self.cross(inputs), self.deep_mlp(inputs)], dim=1)
        predictions: dict[str, Tensor] = self.head(self.final_mlp(both))
        return predictions
