"""DSSM: Huang et al., Learning Deep Structured Semantic Models for Web Search, CIKM 2013."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.match.match_model import MatchModel
from raymon.models.match.served_tower import InputTower
from raymon.models.match.tower import Tower
from raymon.protos.layers_pb2 import MLP
from raymon.protos.model_pb2 import ModelConfig


class DSSM(MatchModel):
    """A tower of users and one of items, with tables of their own.

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
        settings = config.dssm
        common = settings.output_dim, settings.similarity

        def tower(group: str, mlp: MLP) -> InputTower:
            inputs = GroupedInputs(config, features, [group])
            return InputTower(inputs, group, Tower(inputs.width(group), mlp, *common))

        self.user_tower = tower(settings.user_tower.input, settings.user_tower.mlp)
        self.item_tower = tower(settings.item_tower.input, settings.item_tower.mlp)

    def tower_vectors(self, name: str) -> InputTower:
        """Returns a tower."""
        return self.user_tower if name == "user" else self.item_tower

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns `similarity`, float32 `[B, C]`."""
        users, items = self.user_tower(batch), self.item_tower(self.items_of(batch))
        return {"similarity": self.similarities(users, items, batch)}
