"""The blocks of a config that describe features, also those inside of sequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from raymon.protos.feature_pb2 import FeatureConfig, SequenceFeature

GROUPED = "sequence_feature"
"""Kind of the block that holds the features of one sequence."""

_PREFIX = "sequence_"


@dataclass(frozen=True)
class FeatureBlock:
    """The block of one feature.

    Attributes:
        place: Path in the config, as `feature_configs[2].id_feature`.
        kind: Kind of the feature, or of that of a position, as `id_feature`.
        config: The block, a message that has a `feature_name`.
        is_sequence: Whether the feature has a value for each position of sequences.
        sequence: The block of the sequence that the feature is inside of; None if of none.
    """

    place: str
    kind: str
    config: Any
    is_sequence: bool = False
    sequence: SequenceFeature | None = None

    @property
    def is_stub(self) -> bool:
        """Whether the feature is only made for others."""
        return bool(getattr(self.config, "stub_type", False))

    @property
    def names_file(self) -> bool:
        """Whether the block names a file with a vocabulary."""
        return bool(getattr(self.config, "vocab_file", ""))

    @property
    def name(self) -> str:
        """Name of the feature."""
        name = str(self.config.feature_name)
        return name if self.sequence is None else f"{self.sequence.sequence_name}__{name}"


def feature_blocks(configs: Iterable[FeatureConfig]) -> Iterator[FeatureBlock]:
    """Yields the blocks of features, in the order of the config; those without a kind are left out.

    Args:
        configs: The `feature_configs` of a pipeline.
    """
    for index, config in enumerate(configs):
        place, kind = f"feature_configs[{index}]", config.WhichOneof("feature")
        if kind is None:
            continue
        block = getattr(config, kind)
        if kind != GROUPED:
            plain = kind.removeprefix(_PREFIX)
            yield FeatureBlock(f"{place}.{kind}", plain, block, plain != kind)
            continue
        for number, inner in enumerate(block.features):
            kind = inner.WhichOneof("feature")
            if kind is not None:
                path = f"{place}.{GROUPED}.features[{number}].{kind}"
                yield FeatureBlock(path, kind, getattr(inner, kind), True, block)
