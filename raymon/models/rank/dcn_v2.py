"""DCN V2: Wang et al., Improved Deep & Cross Network, 2021 (arXiv:2008.13535)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.cross import LowRankCrossNet
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class DCNV2(RankingModel):
    """Cross layers of low rank over one group, and an MLP over them.

    With a backbone, an MLP over the group comes before the cross layers. With a deep part, an MLP
    over the group is beside them, and the final MLP takes both. The last linear map, one for each
    label, has no bias.

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
        dcn = config.dcn_v2
        self._group = config.feature_groups[0].group_name
        self.inputs = GroupedInputs(config, features, [self._group])
        width = crossed = self.inputs.width(self._group)
        self.backbone: MLP | None = None
        if dcn.HasField("backbone"):
            self.backbone = MLP(width, dcn.backbone)
            crossed = self.backbone.out_features
        self.cross = LowRankCrossNet(crossed, dcn.cross.cross_num, dcn.cross.low_rank)
        self.deep_mlp: MLP | None = None
        if dcn.HasField("deep"):
            self.deep_mlp = MLP(width, dcn.deep)
            crossed += self.deep_mlp.out_features
        self.final_mlp = MLP(crossed, dcn.final)
        self.head = Head(self.final_mlp.out_features, self.kinds, config.num_class, bias=False)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs = self.inputs(batch)[self._group]
        hidden = self.cross(inputs if self.backbone is None else self.backbone(inputs))
        if self.deep_mlp is not None:
            hidden = torch.cat([hidden, self.deep_mlp(inputs)], dim=1)
        predictions: dict[str, Tensor] = self.head(self.final_mlp(hidden))
        return predictions
