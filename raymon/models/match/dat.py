"""DAT: Yu et al., A Dual Augmented Two-tower Model for Online Large-scale Recommendation, 2021."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.errors import ConfigError
from raymon.models.layers.autocast import without_autocast
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.losses import weighted_mean
from raymon.models.match.match_model import MatchModel
from raymon.models.match.tower import Tower
from raymon.models.row_weights import sample_weights
from raymon.protos.match_model_pb2 import DATTower
from raymon.protos.model_pb2 import ModelConfig

USER_LOSS, ITEM_LOSS = "amm_loss_u", "amm_loss_i"
"""Names of the losses of the augmented vectors."""


class AugmentedTower(nn.Module):
    """A tower over a group of features and an augmented vector.

    Args:
        name: Name of the tower in the config.
        tower: Config of the tower.
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.

    Raises:
        ConfigError: The augmented vector is not as long as the vectors of the towers.
    """

    def __init__(
        self, name: str, tower: DATTower, config: ModelConfig, features: Sequence[Feature]
    ) -> None:
        super().__init__()
        self._input, self._augment = tower.input, tower.augment_input
        groups = list(dict.fromkeys([self._input, self._augment]))
        self.inputs = GroupedInputs(config, features, groups)
        width, own = self.inputs.width(self._input), self.inputs.width(self._augment)
        self.tower = Tower(width + own, tower.mlp, config.dat.output_dim, config.dat.similarity)
        if own != self.tower.out_features:
            raise ConfigError(
                f'model_config.dat.{name}.augment_input: group "{self._augment}" has {own} numbers '
                f"a row; it must have {self.tower.out_features}, the length of the vectors of items"
                " and users, which it learns"
            )

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Returns the vectors of rows, and their augmented vectors, float32 `[B, D]`."""
        inputs = self.inputs(batch)
        augmented = inputs[self._augment]
        return self.tower(torch.cat([inputs[self._input], augmented], 1)), augmented.float()


class DAT(MatchModel):
    """Two towers, each with an augmented vector that learns the vectors of the other tower.

    The augmented vector of a user learns the items that the user chose, and that of an item the
    users who chose it, by the squared distance from the one, scaled to length 1, to the other,
    which is left alone (section 2.3): so each tower knows something of the other side.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.

    Raises:
        ConfigError: An augmented vector is not as long as the vectors of the towers.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        dat = config.dat
        self.user_tower = AugmentedTower("user_tower", dat.user_tower, config, features)
        self.item_tower = AugmentedTower("item_tower", dat.item_tower, config, features)
        self._factors = {USER_LOSS: dat.amm_u_weight, ITEM_LOSS: dat.amm_i_weight}

    def tower_vectors(self, name: str) -> AugmentedTower:
        """Returns a tower, whose first result are its vectors."""
        return self.user_tower if name == "user" else self.item_tower

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns `similarity`, float32 `[B, C]`, and the distances of augmented vectors, `[B]`."""
        users, of_users = self.user_tower(batch)
        items, of_items = self.item_tower(self.items_of(batch))
        own, of_own = items[: batch.size], of_items[: batch.size]
        return {
            "similarity": self.similarities(users, items, batch),
            USER_LOSS: _distances(of_users, own),
            ITEM_LOSS: _distances(of_own, users),
        }

    def loss(self, predictions: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Returns the loss of the config, and the two of augmented vectors, float32 scalars."""
        losses = super().loss(predictions, batch)
        weights = sample_weights(self.tasks[0], batch)
        for name, factor in self._factors.items():
            losses[name] = factor * weighted_mean(predictions[name], weights)
        return losses

    def batch_weight(self, batch: Batch) -> float | dict[str, Tensor]:
        """Returns the number of rows, or the sum of sample weights by loss name, scalars."""
        weights = super().batch_weight(batch)
        of_rows = sample_weights(self.tasks[0], batch)
        if isinstance(weights, float) or of_rows is None:
            return weights
        return weights | dict.fromkeys(self._factors, of_rows.sum())


def _distances(augmented: Tensor, vectors: Tensor) -> Tensor:
    with without_autocast(vectors.device):
        return (F.normalize(augmented, dim=1) - vectors.detach()).square().sum(1)
