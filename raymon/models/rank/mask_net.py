"""MaskNet: Wang et al., Feature-Wise Multiplication by an Instance-Guided Mask, 2021."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mask_net import MaskNetModule
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class MaskNet(RankingModel):
    """Mask blocks over the features of one group, and a linear map without a bias for each label.

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
        self._group = config.feature_groups[0].group_name
        self.inputs = GroupedInputs(config, features, [self._group])
        self.mask_net = MaskNetModule(
            self.inputs.width(self._group), config.mask_net.mask_net_module
        )
        self.head = Head(self.mask_net.out_features, self.kinds, config.num_class, bias=False)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        predictions: dict[str, Tensor] = self.head(self.mask_net(self.inputs(batch)[self._group]))
        return predictions
