"""The features of a sequence and of its query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from raymon.data import Batch, Feature, Positions
from raymon.errors import ConfigError
from raymon.models.layers.group_tables import named_collection
from raymon.models.layers.sequences.sequence_inputs import SequenceInputs
from raymon.protos.model_pb2 import JAGGED_SEQUENCE, SEQUENCE, ModelConfig

_WITH_QUERY = ("din_encoder", "multi_window_din_encoder", "simple_attention")


class SequenceGroup:
    """The features of one sequence, which are its positions, and those that are the query.

    Args:
        name: Name of the group.
        place: Path of its `feature_names` in the config, for messages.
        features: The features, in the order of the group.
        suffix: What the names of its tables end in.

    Attributes:
        collection: Name of the collection that has its tables.
        query: Features of a row.
        sequence: Features of positions.

    Raises:
        ConfigError: There is no feature of positions.
    """

    def __init__(
        self, name: str, place: str, features: Sequence[Feature], suffix: str = ""
    ) -> None:
        self.name = name
        self.place = place
        self.features = list(features)
        self.collection = named_collection("embeddings", suffix)
        self.query = [feature for feature in features if not feature.is_sequence]
        self.sequence = [feature for feature in features if feature.is_sequence]
        for feature in features:
            if feature.dense_embedding is not None:
                raise ConfigError(
                    f"{place}: raymon does not have {feature.dense_embedding.kind} in sequences "
                    f'yet, which "{feature.name}" has; leave it out'
                )
        if not self.sequence:
            raise ConfigError(
                f'{place}: group "{name}" has no feature of a sequence; list one, or make it a '
                "group of type DEEP"
            )

    @property
    def query_dim(self) -> int:
        """Length of a query."""
        return sum(map(_dim, self.query))

    @property
    def sequence_dim(self) -> int:
        """Length of a position."""
        return sum(map(_dim, self.sequence))

    def check(self, kind: str, place: str) -> None:
        """Checks that an encoder can take the group.

        Args:
            kind: The encoder, as a field of `sequence_encoders`.
            place: Its path in the config, for messages.

        Raises:
            ConfigError: It cannot.
        """
        if kind not in _WITH_QUERY:
            return
        if not self.query:
            raise ConfigError(
                f'{self.place}: group "{self.name}" has no feature but those of the sequence, and '
                f"{place} compares these with others; list some"
            )
        query, sequence = self.query_dim, self.sequence_dim
        if query > sequence or (kind == "simple_attention" and query < sequence):
            wanted = "as many" if kind == "simple_attention" else "at most as many"
            raise ConfigError(
                f'{self.place}: the query of group "{self.name}" has {query} numbers and a '
                f"position {sequence}; {place} takes {wanted} in the query"
            )

    def inputs(self, batch: Batch, embeddings: Mapping[str, Tensor]) -> SequenceInputs:
        """Returns the inputs of an encoder.

        Args:
            batch: The batch.
            embeddings: Embeddings of features, by name.
        """
        positions = [batch.sequences[feature.name] for feature in self.sequence]
        parts = [
            embeddings[feature.name] if each.numbers is None else each.numbers
            for feature, each in zip(self.sequence, positions, strict=True)
        ]
        of_rows = [
            embeddings[feature.name] if feature.is_sparse else batch.dense[feature.name]
            for feature in self.query
        ]
        first: Positions = positions[0]
        query = torch.cat(of_rows, dim=1) if of_rows else parts[0].new_zeros(batch.size, 0)
        return SequenceInputs(query, torch.cat(parts, dim=1), first.offsets, first.longest)


def groups_of_sequences(
    config: ModelConfig, features: Sequence[Feature]
) -> Iterator[SequenceGroup]:
    """Yields the groups of type SEQUENCE of a model.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline.
    """
    by_name = {feature.name: feature for feature in features}
    for index, group in enumerate(config.feature_groups):
        if group.group_type in (SEQUENCE, JAGGED_SEQUENCE):
            place = f"model_config.feature_groups[{index}].feature_names"
            own = [by_name[name] for name in group.feature_names]
            yield SequenceGroup(group.group_name, place, own, group.embedding_name_suffix)


def _dim(feature: Feature) -> int:
    return feature.value_dim if feature.embedding is None else feature.embedding.dim
