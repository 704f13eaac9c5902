"""The inputs of a model, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

import torch
from torch import Tensor, nn

from raymon.data import Batch, EmbeddingSpec, Feature
from raymon.embeddings import EmbeddingCollection, specs_of
from raymon.models.layers.dense_embeddings import DenseEmbeddings
from raymon.models.layers.feature_group import FeatureGroup
from raymon.models.layers.group_tables import collection_name, dense_dims, group_specs
from raymon.models.layers.sequences.encoded_sequences import EncodedSequences
from raymon.models.layers.sequences.sequence_group import SequenceGroup, groups_of_sequences
from raymon.models.layers.sequences.sequence_inputs import SequenceInputs
from raymon.models.layers.variational_dropout import VariationalDropout
from raymon.protos.model_pb2 import ModelConfig

_Found = Mapping[str, dict[str, Tensor] | Tensor]
"""Embeddings by the name of the collection: by feature, or stacked."""


class GroupedInputs(nn.Module):
    """The features of some groups: numbers as they are or as embeddings, ids as embeddings.

    The sequences of a group are encoded to vectors, which follow its features.

    A table that several groups use is there once, and looked up once a batch. WIDE groups and those
    with an `embedding_name_suffix` have tables of their own.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline.
        names: Names of the groups that are used.
        home: Module that has the tables and layers as its own, so that the names of parameters do
            not begin with that of this module; None for this one.

    Attributes:
        groups: The groups of type DEEP or WIDE by name, in the order of `names`.
        sequences: The groups of type SEQUENCE by name.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        names: Sequence[str],
        home: nn.Module | None = None,
    ) -> None:
        super().__init__()
        home = self if home is None else home
        self.sequences = {
            group.name: group
            for group in groups_of_sequences(config, features)
            if group.name in names
        }
        deep = [name for name in names if name not in self.sequences]
        self.groups = {name: FeatureGroup(name, config, features) for name in deep}
        encoded = {name: EncodedSequences(name, config, features) for name in deep}
        self._encoded = {name: one for name, one in encoded.items() if one.widths}
        home.add_module("encoders", nn.ModuleList(self._encoded.values()))
        self._specs = {name: group_specs(config, group) for name, group in self.groups.items()}
        collections: dict[str, dict[str, EmbeddingSpec]] = {}
        for name, group in self.groups.items():
            collections.setdefault(collection_name(group), {}).update(self._specs[name])
        for sequence in self._all_sequences():
            collections.setdefault(sequence.collection, {}).update(specs_of(sequence.features))
        # In dicts, as they may be modules of another one.
        self._collections = {name: EmbeddingCollection(each) for name, each in collections.items()}
        for name, collection in self._collections.items():
            home.add_module(name, collection)
        embedded: dict[str, list[Feature]] = {}
        for group in self.groups.values():
            embedded.setdefault(collection_name(group), []).extend(group.features)
        self._dims = {
            name: dense_dims(config, group) for name, group in self.groups.items() if group.features
        }
        self._of_numbers: dict[str, DenseEmbeddings] = {}
        for group in self.groups.values():
            name, dims = collection_name(group), self._dims.get(group.name)
            if dims:
                dim = next(iter(dims.values())) if group.is_wide else None
                self._of_numbers[name] = DenseEmbeddings(embedded[name], dim)
                home.add_module(f"dense_{name}", self._of_numbers[name])
        # Collections of which every group takes all, in one order and size.
        self._stacked = {
            name
            for name, specs in collections.items()
            if len({spec.dim for spec in specs.values()}) == 1
            and not any(sequence.collection == name for sequence in self._all_sequences())
            and all(
                list(self._specs[group.name]) == list(specs)
                for group in self.groups.values()
                if group.features and collection_name(group) == name
            )
        }

        self.dropouts = nn.ModuleDict()
        if config.HasField("variational_dropout"):
            for name in self.groups:
                parts = self.parts(name)
                # A feature alone is not compared with any.
                if len(parts) > 1:
                    dropout = VariationalDropout(name, parts, config.variational_dropout)
                    self.dropouts[_module_name(name)] = dropout

    def width(self, group: str) -> int:
        """Returns the length of the inputs of a group, concatenated."""
        return sum(self.widths(group))

    def widths(self, group: str) -> list[int]:
        """Returns the length of each part of a group.

        These are its numbers, then its embeddings of ids, then its embeddings of numbers, then the
        outputs of its encoders of sequences.
        """
        of_ids = [spec.dim for spec in self._specs[group].values()]
        of_numbers = self._dims.get(group, {}).values()
        encoded = self._encoded[group].widths if group in self._encoded else []
        return [*self.groups[group].dense_dims, *of_ids, *of_numbers, *encoded]

    def parts(self, group: str) -> dict[str, int]:
        """Returns the length of each part of a group, as `widths`, by the name of the feature.

        Outputs of encoders are called `{group}_seq_encoder_{i}`.
        """
        names = [f.name for f in self.groups[group].features if not f.embedding_dim]
        names += [*self._specs[group], *self._dims.get(group, {})]
        widths = self.widths(group)
        names += [f"{group}_seq_encoder_{i}" for i in range(len(widths) - len(names))]
        return dict(zip(names, widths, strict=True))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the inputs by group, each `[B, width]`; `split(widths)` gives its parts.

        A group that the config does not have is left out, and so is one of type SEQUENCE.
        """
        return self.with_sequences(batch)[0]

    def with_sequences(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, SequenceInputs]]:
        """Returns the inputs by group, as `forward`, and those of groups of type SEQUENCE."""
        found = {name: self._looked_up(name, batch) for name in self._collections}
        of_sequences = {
            name: sequence.inputs(batch, _by_feature(found, sequence))
            for name, sequence in self.sequences.items()
        }
        return self._vectors(batch, found), of_sequences

    def _vectors(self, batch: Batch, found: _Found) -> dict[str, Tensor]:
        used = {collection_name(self.groups[name]) for name, dims in self._dims.items() if dims}
        numbers = {name: self._of_numbers[name](batch) for name in sorted(used)}
        # Groups of the same features have the same tensor: their two gradients are then added up by
        # one operation, and not feature by feature.
        joined: dict[tuple[str, ...], Tensor] = {}
        inputs = {}
        for name, group in self.groups.items():
            if not group.features and name not in self._encoded:
                continue
            collection, of_ids = collection_name(group), tuple(self._specs[name])
            key = (collection, *of_ids)
            if of_ids and key not in joined:
                embeddings = found[collection]
                joined[key] = (
                    embeddings.flatten(1)
                    if isinstance(embeddings, Tensor)
                    else _concatenated([embeddings[feature] for feature in of_ids])
                )
            parts = [*group.dense(batch), *([joined[key]] if of_ids else [])]
            if self._dims.get(name):
                of_numbers = numbers[collection]
                parts += [of_numbers[feature] for feature in self._dims[name]]
            if name in self._encoded:
                encoded = self._encoded[name]
                first, *_ = encoded.groups.values()
                parts += encoded(batch, _by_feature(found, first))
            inputs[name] = _concatenated(parts)
            if _module_name(name) in self.dropouts:
                inputs[name] = self.dropouts[_module_name(name)](inputs[name])
        return inputs

    def part(self, names: Sequence[str]) -> GroupedInputs:
        """Returns the inputs of some of the groups, with the same tables, for serving.

        Args:
            names: Names of the groups.
        """
        part = copy(self)
        part._modules = dict(self._modules)
        part.groups = {name: self.groups[name] for name in names if name in self.groups}
        part.sequences = {name: self.sequences[name] for name in names if name in self.sequences}
        part._encoded = {name: each for name, each in self._encoded.items() if name in names}
        part._modules["encoders"] = nn.ModuleList(part._encoded.values())
        kept = {_module_name(name) for name in names}
        dropouts = {name: each for name, each in self.dropouts.items() if name in kept}
        part._modules["dropouts"] = nn.ModuleDict(dropouts)
        used: dict[str, set[str]] = {}
        for name, group in part.groups.items():
            used.setdefault(collection_name(group), set()).update(self._specs[name])
        for sequence in part._all_sequences():
            used.setdefault(sequence.collection, set()).update(specs_of(sequence.features))
        part._stacked = set()
        part._collections = {name: self._collections[name].part(used[name]) for name in used}
        for name in self._collections:
            part._modules.pop(name, None)
        part._modules.update(part._collections)
        part._modules.update({f"dense_{name}": each for name, each in self._of_numbers.items()})
        return part

    def _all_sequences(self) -> list[SequenceGroup]:
        inner = [each for one in self._encoded.values() for each in one.groups.values()]
        return [*self.sequences.values(), *inner]

    def _looked_up(self, collection: str, batch: Batch) -> dict[str, Tensor] | Tensor:
        module = self._collections[collection]
        found: dict[str, Tensor] | Tensor = module(batch, stacked=collection in self._stacked)
        return found


def _module_name(group: str) -> str:
    # A dot separates the parts of the path of a module.
    return "g_" + group.replace("%", "%25").replace(".", "%2E")


def _by_feature(found: _Found, sequence: SequenceGroup) -> Mapping[str, Tensor]:
    embeddings = found[sequence.collection]
    assert isinstance(embeddings, dict), "sequences are looked up feature by feature"
    return embeddings


def _concatenated(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=1)
