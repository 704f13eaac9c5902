"""The sequences of a group of features, and the encoders that make vectors of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.models.layers.sequences.build import build_encoder
from raymon.models.layers.sequences.sequence_group import SequenceGroup
from raymon.protos.model_pb2 import ModelConfig


class EncodedSequences(nn.Module):
    """The `sequence_groups` and `sequence_encoders` of a group; nothing if it has none.

    Args:
        name: Name of the group.
        config: The model_config of the pipeline.
        features: All features of the pipeline.

    Attributes:
        groups: The sequences by name.

    Raises:
        ConfigError: An encoder does not fit its sequence.
    """

    def __init__(self, name: str, config: ModelConfig, features: Sequence[Feature]) -> None:
        super().__init__()
        by_name = {feature.name: feature for feature in features}
        self.groups: dict[str, SequenceGroup] = {}
        self._inputs: list[str] = []
        encoders = []
        for index, group in enumerate(config.feature_groups):
            if group.group_name != name:
                continue
            place = f"model_config.feature_groups[{index}]"
            for number, sequence in enumerate(group.sequence_groups):
                own = [by_name[feature] for feature in sequence.feature_names]
                inner = f"{place}.sequence_groups[{number}].feature_names"
                named = sequence.group_name or name
                self.groups[named] = SequenceGroup(named, inner, own, group.embedding_name_suffix)
            for number, block in enumerate(group.sequence_encoders):
                kind = str(block.WhichOneof("seq_module"))
                encoder = getattr(block, kind)
                source = encoder.input or next(iter(self.groups))
                sequence_group = self.groups[source]
                sequence_group.check(kind, f"{place}.sequence_encoders[{number}].{kind}")
                dims = sequence_group.query_dim, sequence_group.sequence_dim
                encoders.append(build_encoder(kind, encoder, *dims))
                self._inputs.append(source)
        self.encoders = nn.ModuleList(encoders)
        self.widths: list[int] = [encoder.out_features for encoder in encoders]

    def forward(self, batch: Batch, embeddings: Mapping[str, Tensor]) -> list[Tensor]:
        """Returns the output of each encoder, `[B, width]`.

        Args:
            batch: The batch.
            embeddings: Embeddings of features, by name.
        """
        used = dict.fromkeys(self._inputs)
        inputs = {name: self.groups[name].inputs(batch, embeddings) for name in used}
        return [
            encoder(inputs[name]) for encoder, name in zip(self.encoders, self._inputs, strict=True)
        ]
