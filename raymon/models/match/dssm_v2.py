"""DSSM whose towers share tables."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from raymon.config import group_features
from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.match.joined_rows import joined_rows
from raymon.models.match.match_model import MatchModel
from raymon.models.match.served_tower import InputTower
from raymon.models.match.tower import Tower
from raymon.protos.model_pb2 import ModelConfig


class DSSMV2(MatchModel):
    """A tower of users and one of items; features with one `embedding_name` share its table.

    Users, items and negatives are looked up together.

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
        settings = config.dssm_v2
        self._user, self._item = settings.user_tower.input, settings.item_tower.input
        self.inputs = GroupedInputs(config, features, [self._user, self._item])
        used = [g for g in config.feature_groups if g.group_name in (self._user, self._item)]
        self._names = {name for group in used for name in group_features(group)}
        common = settings.output_dim, settings.similarity
        self.user_tower = Tower(self.inputs.width(self._user), settings.user_tower.mlp, *common)
        self.item_tower = Tower(self.inputs.width(self._item), settings.item_tower.mlp, *common)

    def tower_vectors(self, name: str) -> InputTower:
        """Returns a tower with the tables of its own features."""
        group, tower = self._user, self.user_tower
        if name == "item":
            group, tower = self._item, self.item_tower
        return InputTower(self.inputs.part([group]), group, tower)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns `similarity`, float32 `[B, C]`."""
        inputs = self.inputs(joined_rows(batch, self._names))
        users = self.user_tower(inputs[self._user][: batch.size])
        items = self.item_tower(inputs[self._item])
        return {"similarity": self.similarities(users, items, batch)}
