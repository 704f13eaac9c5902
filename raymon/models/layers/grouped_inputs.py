"""The inputs of a model, group by group."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import torch
from torch import Tensor, nn

from raymon.data import Batch, EmbeddingSpec, Feature
from raymon.embeddings import EmbeddingCollection
from raymon.models.layers.dense_embeddings import DenseEmbeddings
from raymon.models.layers.feature_group import FeatureGroup
from raymon.models.layers.group_tables import collection_name, dense_dims, group_specs
from raymon.protos.model_pb2 import ModelConfig


class GroupedInputs(nn.Module):
    """The features of some groups: numbers as they are or as embeddings, ids as embeddings.

    A table that several groups use is there once, and looked up once a batch. WIDE groups and those
    with an `embedding_name_suffix` have tables of their own.

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
        self._specs = {name: group_specs(config, group) for name, group in self.groups.items()}
        collections: dict[str, dict[str, EmbeddingSpec]] = {}
        for name, group in self.groups.items():
            collections.setdefault(collection_name(group), {}).update(self._specs[name])
        self._collections = tuple(collections)
        for name, specs in collections.items():
            self.add_module(name, EmbeddingCollection(specs))
        embedded: dict[str, list[Feature]] = {}
        for group in self.groups.values():
            embedded.setdefault(collection_name(group), []).extend(group.features)
        self._dims = {
            name: dense_dims(config, group) for name, group in self.groups.items() if group.features
        }
        for group in self.groups.values():
            name, dims = collection_name(group), self._dims.get(group.name)
            if dims:
                dim = next(iter(dims.values())) if group.is_wide else None
                self.add_module(f"dense_{name}", DenseEmbeddings(embedded[name], dim))
        # Collections of which every group takes all, in one order and size.
        self._stacked = {
            name
            for name, specs in collections.items()
            if len({spec.dim for spec in specs.values()}) == 1
            and all(
                list(self._specs[group.name]) == list(specs)
                for group in self.groups.values()
                if group.features and collection_name(group) == name
            )
        }

    def width(self, group: str) -> int:
        """Returns the length of the inputs of a group, concatenated."""
        return sum(self.widths(group))

    def widths(self, group: str) -> list[int]:
        """Returns the length of each part of a group.

        These are its numbers, then its embeddings of ids, then its embeddings of numbers.
        """
        of_ids = [spec.dim for spec in self._specs[group].values()]
        return [*self.groups[group].dense_dims, *of_ids, *self._dims.get(group, {}).values()]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the inputs by group, each `[B, width]`; `split(widths)` gives its parts.

        A group that the config does not have is left out.
        """
        found = {name: self._looked_up(name, batch) for name in self._collections}
        used = {collection_name(self.groups[name]) for name, dims in self._dims.items() if dims}
        numbers = {name: self.get_submodule(f"dense_{name}")(batch) for name in sorted(used)}
        # Groups of the same features have the same tensor: their two gradients are then added up by
        # one operation, and not feature by feature.
        joined: dict[tuple[str, ...], Tensor] = {}
        inputs = {}
        for name, group in self.groups.items():
            if not group.features:
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
            if self._dims[name]:
                of_numbers = numbers[collection]
                parts += [of_numbers[feature] for feature in self._dims[name]]
            inputs[name] = _concatenated(parts)
        return inputs

    def part(self, names: Sequence[str]) -> GroupedInputs:
        """Returns the inputs of some of the groups, with the same tables, for serving.

        Args:
            names: Names of the groups.
        """
        part = copy(self)
        part._modules = dict(self._modules)
        part.groups = {name: self.groups[name] for name in names}
        used: dict[str, set[str]] = {}
        for name, group in part.groups.items():
            used.setdefault(collection_name(group), set()).update(self._specs[name])
        part._collections = tuple(used)
        part._stacked = set()
        for name in self._collections:
            collection = part._modules.pop(name)
            if name in used and isinstance(collection, EmbeddingCollection):
                part._modules[name] = collection.part(used[name])
        return part

    def _looked_up(self, collection: str, batch: Batch) -> dict[str, Tensor] | Tensor:
        module = self.get_submodule(collection)
        found: dict[str, Tensor] | Tensor = module(batch, stacked=collection in self._stacked)
        return found


def _concatenated(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=1)
