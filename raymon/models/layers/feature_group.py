"""Groups of features: which inputs go into which part of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from raymon.data import Batch, Feature
from raymon.errors import ConfigError
from raymon.protos.model_pb2 import WIDE, ModelConfig


class FeatureGroup:
    """The features of one group of the config; empty if the config has no such group.

    Args:
        name: Name of the group.
        config: The model_config of the pipeline.
        features: All features of the pipeline.

    Attributes:
        place: Path of the group in the config, for messages.
        features: Features in the order of the group.
        is_wide: Whether it is of the type WIDE.
        suffix: What the names of its tables end in, so that they are its own; mostly empty.

    Raises:
        ConfigError: A feature is one of sequences.
    """

    def __init__(self, name: str, config: ModelConfig, features: Sequence[Feature]) -> None:
        by_name = {feature.name: feature for feature in features}
        self.name = name
        self.place = "model_config.feature_groups"
        self.features: list[Feature] = []
        self.is_wide, self.suffix = False, ""
        for index, group in enumerate(config.feature_groups):
            if group.group_name == name:
                self.place = f"model_config.feature_groups[{index}].feature_names"
                self.features = [by_name[feature] for feature in group.feature_names]
                self.is_wide, self.suffix = group.group_type == WIDE, group.embedding_name_suffix
        for index, feature in enumerate(self.features):
            if feature.is_sequence:
                raise ConfigError(
                    f'{self.place}[{index}]: "{feature.name}" has positions; list it in '
                    "sequence_groups, or in a group of type SEQUENCE"
                )

    @property
    def dense_dim(self) -> int:
        """The total number of numbers a row that stay numbers."""
        return sum(self.dense_dims)

    @property
    def dense_dims(self) -> list[int]:
        """The numbers a row of each feature that has no embedding."""
        return [f.value_dim for f in self.features if not f.embedding_dim]

    @property
    def embedding_dims(self) -> list[int]:
        """The length of the embedding of each feature that has one."""
        return [f.embedding_dim for f in self.features if f.embedding_dim]

    def require_dense(self) -> None:
        """Checks that no feature has an embedding.

        Raises:
            ConfigError: A feature has an embedding.
        """
        for index, feature in enumerate(self.features):
            if feature.embedding_dim:
                raise ConfigError(
                    f'{self.place}[{index}]: "{feature.name}" has an embedding; group '
                    f'"{self.name}" takes numbers without boundaries, autodis or mlp'
                )

    def require_sparse(self) -> None:
        """Checks that every feature has an embedding.

        Raises:
            ConfigError: A feature has no embedding.
        """
        for index, feature in enumerate(self.features):
            if not feature.embedding_dim:
                raise ConfigError(
                    f'{self.place}[{index}]: "{feature.name}" has no embedding; group '
                    f'"{self.name}" takes ids, and numbers with boundaries, autodis or mlp'
                )

    def require_one_dim(self) -> int:
        """Returns the length that all embeddings of the group have.

        Raises:
            ConfigError: A feature has no embedding, or they differ in length.
        """
        self.require_sparse()
        dims = self.embedding_dims
        for index, (feature, dim) in enumerate(zip(self.features, dims, strict=True)):
            if dim != dims[0]:
                raise ConfigError(
                    f'{self.place}[{index}]: "{feature.name}" has embedding_dim {dim}, '
                    f'"{self.features[0].name}" {dims[0]}; group "{self.name}" takes embeddings '
                    "of one size"
                )
        return dims[0]

    def dense(self, batch: Batch) -> list[Tensor]:
        """Returns the features of a batch that stay numbers, each float32 `[B, value_dim]`."""
        return [batch.dense[f.name] for f in self.features if not f.embedding_dim]

    def sparse(self, embeddings: Mapping[str, Tensor]) -> list[Tensor]:
        """Returns the embeddings of the features that have one, each `[B, dim]`."""
        return [embeddings[f.name] for f in self.features if f.embedding_dim]

    def concat(self, batch: Batch, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Returns all features of a batch, concatenated: `[B, dense_dim + sum(embedding_dims)]`."""
        return torch.cat([*self.dense(batch), *self.sparse(embeddings)], dim=1)
