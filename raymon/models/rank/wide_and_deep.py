"""Wide & Deep: Cheng et al., Wide & Deep Learning for Recommender Systems, 2016."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class WideAndDeep(RankingModel):
    """A wide part and a deep MLP, in parallel.

    Group "wide" has a small embedding for each feature, in separate tables; the numbers of all of
    them are summed to one. Group "deep" takes any features.

    With a final MLP, the wide sum and the output of the deep MLP are concatenated and go through
    it, and then through one linear map for each label. Without one, the output of a label is a
    linear map of the output of the deep MLP, plus the wide sum.

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
        settings = config.wide_and_deep
        self.inputs = GroupedInputs(config, features, ["wide", "deep"])
        self.inputs.groups["wide"].require_sparse()
        self.deep_mlp = MLP(self.inputs.width("deep"), settings.deep)
        out_features = self.deep_mlp.out_features
        self.final_mlp: MLP | None = None
        if settings.HasField("final"):
            self.final_mlp = MLP(1 + out_features, settings.final)
            out_features = self.final_mlp.out_features
        self.head = Head(out_features, self.kinds, config.num_class)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs = self.inputs(batch)
        wide = inputs["wide"].sum(1, keepdim=True)
        deep = self.deep_mlp(inputs["deep"])
        predictions: dict[str, Tensor]
        if self.final_mlp is None:
            predictions = self.head(deep, wide)
        else:
            predictions = self.head(self.final_mlp(torch.cat([wide, deep], dim=1)))
        return predictions
