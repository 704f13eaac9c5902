"""The inputs of a model, group by group."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.embeddings import EmbeddingCollection, specs_of
from raymon.models.layers.feature_group import FeatureGroup
from raymon.protos.model_pb2 import ModelConfig


class GroupedInputs(nn.Module):
    """The features of some groups: numbers as they are, ids as embeddings.

    A table that several groups use is there once, and looked up once a batch.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline.
        names: Names of the groups that are used.

    Attributes:
        groups: The groups by name, in the order of `names`.
    """

    def __init__(
        self, config: ModelConfig, features: Sequence[Feature], names: Sequence[str]
    ) -> None:
        super().__init__()
        self.groups = {name: FeatureGroup(name, config, features) for name in names}
        used = [feature for group in self.groups.values() for feature in group.features]
        self.embeddings = EmbeddingCollection(specs_of(used))

    def width(self, group: str) -> int:
        """Returns the length of the inputs of a group, concatenated."""
        return sum(self.widths(group))

    def widths(self, group: str) -> list[int]:
        """Returns the length of each part of a group: of its dense features, then of the others."""
        parts = self.groups[group]
        return [f.value_dim for f in parts.features if not f.is_sparse] + parts.embedding_dims

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the inputs by group, each `[B, width]`; `split(widths)` gives its parts."""
        embeddings = self.embeddings(batch)
        return {name: group.concat(batch, embeddings) for name, group in self.groups.items()}
