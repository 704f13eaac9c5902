"""MIND: Li et al., Multi-Interest Network with Dynamic Routing, CIKM 2019 (arXiv:1904.08030)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.models.layers.autocast import without_autocast
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.mlp import MLP
from raymon.models.match.capsules import Capsules
from raymon.models.match.match_model import MatchModel
from raymon.models.match.served_tower import InputTower
from raymon.models.match.tower import Tower
from raymon.protos import layers_pb2
from raymon.protos.match_model_pb2 import Similarity
from raymon.protos.model_pb2 import ModelConfig


class InterestTower(nn.Module):
    """The tower of users, which makes several vectors of each: one for each interest.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.

    Attributes:
        out_features: Length of a vector.
    """

    def __init__(self, config: ModelConfig, features: Sequence[Feature]) -> None:
        super().__init__()
        mind, tower = config.mind, config.mind.user_tower
        self._user, self._history = tower.input, tower.history_input
        self.inputs = GroupedInputs(config, features, [self._user, self._history])
        self.user_mlp = _LinearEnd(self.inputs.width(self._user), tower.user_mlp, bias=True)
        width = self.inputs.sequences[self._history].sequence_dim
        self.history_mlp: _LinearEnd | None = None
        if tower.HasField("hist_seq_mlp") and tower.hist_seq_mlp.hidden_units:
            self.history_mlp = _LinearEnd(width, tower.hist_seq_mlp, bias=False)
            width = self.history_mlp.out_features
        self.capsules = Capsules(width, tower.capsule_config)
        joined = self.user_mlp.out_features + self.capsules.out_features
        self.concat_mlp = MLP(joined, tower.concat_mlp)
        length = self.concat_mlp.out_features
        self.out_features = mind.output_dim or length
        self.output = nn.Linear(length, mind.output_dim, bias=False) if mind.output_dim else None
        self._normalizes = mind.similarity == Similarity.COSINE

    def forward(self, batch: Batch) -> Tensor:
        """Returns vectors of users, float32 `[B, K, D]`; 0 for an interest that is not there."""
        vectors, sequences = self.inputs.with_sequences(batch)
        history = sequences[self._history]
        if self.history_mlp is not None:
            history.sequence = self.history_mlp(history.sequence)
        behaviours, there = history.padded(self.capsules.most_behaviours)
        interests, kept = self.capsules(behaviours, there, history.lengths)
        user = self.user_mlp(vectors[self._user]).unsqueeze(1)
        both = torch.cat([user.expand(-1, interests.shape[1], -1), interests.to(user.dtype)], 2)
        mask = kept.unsqueeze(2)
        found = self.concat_mlp((both * mask).flatten(0, 1)).unflatten(0, interests.shape[:2])
        with without_autocast(found.device):
            found = found.float() * mask
            if self.output is not None:
                found = self.output(found)
            return F.normalize(found, dim=2) if self._normalizes else found


class MIND(MatchModel):
    """A tower of items, and one of users with several vectors each, by dynamic routing.

    In training the vectors of a user are weighed by how near they are to the item of the row
    (label-aware attention, section 3.4): softmax(simi_pow * similarity). Served, a user has all of
    them, and what is near to one of them is found.

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
        mind, item = config.mind, config.mind.item_tower
        self.user_tower = InterestTower(config, features)
        inputs = GroupedInputs(config, features, [item.input])
        tower = Tower(inputs.width(item.input), item.mlp, mind.output_dim, mind.similarity)
        self.item_tower = InputTower(inputs, item.input, tower)
        self._power = mind.simi_pow
        self._normalizes = mind.similarity == Similarity.COSINE

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns `similarity`, float32 `[B, C]`."""
        interests, items = self.user_tower(batch), self.item_tower(self.items_of(batch))
        users = self._for_the_own_item(interests, items[: batch.size])
        return {"similarity": self.similarities(users, items, batch)}

    def tower_vectors(self, name: str) -> nn.Module:
        """Returns a tower."""
        return self.user_tower if name == "user" else self.item_tower

    def _for_the_own_item(self, interests: Tensor, own: Tensor) -> Tensor:
        """Returns the vector of each user for the item of the row, `[B, D]`."""
        with without_autocast(interests.device):
            near = (interests * own.unsqueeze(1)).sum(2)
            none = (interests == 0).all(2)
            # The first interest is always there, but may be 0.
            weights = (near * self._power).masked_fill(none, -1e30).softmax(1)
            users = (weights.unsqueeze(2) * interests).sum(1)
            return F.normalize(users, dim=1) if self._normalizes else users


class _LinearEnd(nn.Module):
    """An MLP whose last layer is a linear map alone.

    Args:
        in_features: Length of an input.
        config: Config of all layers.
        bias: Whether the last layer adds a bias.

    Attributes:
        out_features: Length of an output.
    """

    def __init__(self, in_features: int, config: layers_pb2.MLP, *, bias: bool) -> None:
        super().__init__()
        inner = layers_pb2.MLP()
        inner.CopyFrom(config)
        del inner.hidden_units[-1]
        del inner.dropout_ratio[max(1, len(inner.hidden_units)) :]
        self.mlp = MLP(in_features, inner)
        self.out_features = config.hidden_units[-1]
        self.output = nn.Linear(self.mlp.out_features, self.out_features, bias=bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the outputs `[N, out_features]` of inputs `[N, in_features]`."""
        outputs: Tensor = self.output(self.mlp(inputs))
        return outputs
