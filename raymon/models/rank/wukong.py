"""Wukong: Zhang et al., Wukong: Towards a Scaling Law for Recommendation, 2024."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.errors import ConfigError
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.layers.wukong import WuKongLayer
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class WuKong(RankingModel):
    """Layers of factorization machines over embeddings of one size, and an MLP over the last.

    Group "sparse" has the embeddings; where there is a group "dense", an MLP makes one more vector
    of it. A config with a single group may call it anything: it is taken as "sparse".

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.

    Raises:
        ConfigError: Embeddings differ in size, or the MLP of "dense" does not end in that size.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        wukong, names = config.wukong, [group.group_name for group in config.feature_groups]
        self._sparse = names[0] if len(names) == 1 else "sparse"
        has_dense = len(names) > 1 and "dense" in names
        self.inputs = GroupedInputs(config, features, [self._sparse, *["dense"] * has_dense])
        dim = self._dim = self.inputs.groups[self._sparse].require_one_dim()
        count = len(self.inputs.widths(self._sparse))
        self.dense_mlp: MLP | None = None
        if has_dense:
            self.dense_mlp = MLP(self.inputs.width("dense"), wukong.dense_mlp)
            if self.dense_mlp.out_features != dim:
                raise ConfigError(
                    "model_config.wukong.dense_mlp.hidden_units: ends in "
                    f"{self.dense_mlp.out_features}; must end in {dim}, the embedding_dim of "
                    f'group "{self._sparse}"'
                )
            count += 1
        self.layers = nn.Sequential()
        for settings in wukong.wukong_layers:
            layer = WuKongLayer(count, dim, settings)
            self.layers.append(layer)
            count = layer.out_vectors
        self.final_mlp = MLP(count * dim, wukong.final)
        self.head = Head(self.final_mlp.out_features, self.kinds, config.num_class)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs = self.inputs(batch)
        vectors = inputs[self._sparse].unflatten(1, (-1, self._dim))
        if self.dense_mlp is not None:
            vectors = torch.cat([self.dense_mlp(inputs["dense"]).unsqueeze(1), vectors], dim=1)
        predictions: dict[str, Tensor] = self.head(self.final_mlp(self.layers(vectors).flatten(1)))
        return predictions
