"""A tower on its own, as it is exported."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.match.tower import Tower


class InputTower(nn.Module):
    """A tower with its inputs.

    Args:
        inputs: Inputs, of the group among others.
        group: Name of the group.
        tower: Tower over the group.
    """

    def __init__(self, inputs: GroupedInputs, group: str, tower: Tower) -> None:
        super().__init__()
        self.inputs = inputs
        self.tower = tower
        self._group = group

    def forward(self, batch: Batch) -> Tensor:
        """Returns the vectors of rows, float32 `[B, D]`."""
        vectors: Tensor = self.tower(self.inputs(batch)[self._group])
        return vectors


class ServedTower(nn.Module):
    """A tower of a model of retrieval, which makes a vector of each row.

    Args:
        name: Name of the tower, "user" or "item".
        vectors: Module that makes vectors, `[B, D]`, of a batch; of several results the first.
        features: All features of the pipeline, in the order of the config.
        used: Names of those that the tower takes.

    Attributes:
        features: Features that the tower takes, in the order of the config.
    """

    def __init__(
        self, name: str, vectors: nn.Module, features: Sequence[Feature], used: Collection[str]
    ) -> None:
        super().__init__()
        self._column = f"{name}_tower_emb"
        self.vectors = vectors
        self.features = [feature for feature in features if feature.name in used]

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns `user_tower_emb` or `item_tower_emb`, float32 `[B, D]`."""
        found = self.vectors(batch)
        return {self._column: found[0] if isinstance(found, tuple) else found}
