"""xDeepFM: Lian et al., Combining Explicit and Implicit Feature Interactions, 2018."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.cin import CIN
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class XDeepFM(RankingModel):
    """A compressed interaction network and a deep MLP, side by side, and an MLP over both.

    Group "wide" has a small embedding for each feature, in separate tables; these interact. Group
    "deep" takes any features.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.

    Raises:
        ConfigError: A feature of "wide" has no embedding.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        settings = config.xdeepfm
        self.inputs = GroupedInputs(config, features, ["wide", "deep"])
        self.inputs.groups["wide"].require_sparse()
        self._dim = settings.wide_embedding_dim
        self.cin = CIN(len(self.inputs.widths("wide")), settings.cin.cin_layer_size)
        self.deep_mlp = MLP(self.inputs.width("deep"), settings.deep)
        self.final_mlp = MLP(self.cin.out_features + self.deep_mlp.out_features, settings.final)
        self.head = Head(self.final_mlp.out_features, self.kinds, config.num_class)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs = self.inputs(batch)
        crossed = self.cin(inputs["wide"].unflatten(1, (-1, self._dim)))
        both = torch.cat([crossed, self.deep_mlp(inputs["deep"])], dim=1)
        predictions: dict[str, Tensor] = self.head(self.final_mlp(both))
        return predictions
