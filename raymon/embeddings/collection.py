"""Embedding tables. Every table of every model is in an `EmbeddingCollection`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from raymon.data import Batch, EmbeddingSpec, Feature, IdList, JoinedIds
from raymon.embeddings.data_types import DATA_TYPES
from raymon.embeddings.growing import GrowingIds
from raymon.embeddings.initial_values import draw_seed
from raymon.embeddings.joint_lookups import JointLookups
from raymon.embeddings.sharded_table import ShardedTable
from raymon.embeddings.table import EmbeddingTable
from raymon.errors import ConfigError, first_line

_REPLICATED = ("data_parallel",)

_WIDTH = 4
"""Numbers that the kernels of sharded tables read at once; the dim of a table is a multiple."""


@dataclass(frozen=True)
class _Sharding:
    """Which tables are sharded.

    Attributes:
        smallest: Rows of the smallest one.
        device_type: Device of the workers.
    """

    smallest: int
    device_type: str


_sharding: ContextVar[_Sharding | None] = ContextVar("sharding", default=None)


@contextmanager
def sharded_tables(smallest: int = 0, device_type: str = "cpu") -> Iterator[None]:
    """Makes collections that are built in the context leave their tables to be sharded.

    Tables whose constraints say `data_parallel` alone, or whose dim is no multiple of 4, are made
    as ever: every worker has them. So are those of BF16 on the CPU, for which fbgemm has no
    kernels, and small ones, unless their constraints say how to shard them.

    Args:
        smallest: Rows of the smallest table that is sharded.
        device_type: Device of the workers, "cpu" or "cuda".
    """
    token = _sharding.set(_Sharding(smallest, device_type))
    try:
        yield
    finally:
        _sharding.reset(token)


class Lookup(Protocol):
    """An engine that looks up the ids of some features."""

    @property
    def features(self) -> tuple[str, ...]:
        """The features."""

    def stacked(self, sparse: Mapping[str, IdList]) -> Tensor:
        """Returns the pooled embeddings `[B, F, dim]` of the features, which have one size."""

    def look_up(self, sparse: Mapping[str, IdList]) -> dict[str, Tensor]:
        """Returns the pooled embeddings `[B, dim]` by the name of the feature."""


class EmbeddingCollection(nn.Module):
    """The embedding tables of some features; features whose tables have one name share it.

    Each worker holds all rows, unless the collection is made in the context of `sharded_tables`;
    then an engine has to place its tables before the first lookup.

    Args:
        specs: Table of each feature, by feature name.

    Attributes:
        specs: Table of each feature, by feature name.
        lookups: Engines that look up what other workers hold too.
        seed: Seed of the initial values, drawn from torch's default generator.
        growing: The rows of the ids of tables that grow.

    Raises:
        ConfigError: A table is larger than the memory. It begins with the path of the field.
    """

    def __init__(self, specs: Mapping[str, EmbeddingSpec]) -> None:
        super().__init__()
        self.specs = dict(specs)
        self.lookups: list[Lookup] = []
        self.seed = draw_seed()
        tables: dict[str, nn.Module] = {}
        growing: dict[str, nn.Module] = {}
        for spec in self.specs.values():
            if _key(spec.name) not in tables:
                make = _sharded_table if _is_sharded(spec) else _table
                tables[_key(spec.name)] = _made(spec, self.seed, make)
                if spec.growth is not None:
                    growing[_key(spec.name)] = _made(spec, self.seed, _growing)
        self.tables = nn.ModuleDict(tables)
        whole = {name: tables[_key(spec.name)] for name, spec in self.specs.items()}
        self._joint_lookups = JointLookups(
            {
                name: table
                for name, table in whole.items()
                if isinstance(table, EmbeddingTable) and not self.specs[name].of_positions
            },
            {n: spec.pooling for n, spec in self.specs.items() if not spec.of_positions},
        )
        self.growing = nn.ModuleDict(growing)

    def forward(self, batch: Batch, stacked: bool = False) -> dict[str, Tensor] | Tensor:
        """Returns the embeddings of a batch.

        Args:
            batch: The batch.
            stacked: Whether all embeddings, which are of one size, are one tensor. That takes fewer
                operations than to stack them.

        Returns:
            Embeddings by feature name, `[B, dim]`, of positions of sequences `[P, dim]`; stacked,
            `[B, F, dim]` in the order of `specs`.
        """
        given = batch.looked_up()
        ids = {name: self._ids(spec, given[name]) for name, spec in self.specs.items()}
        joined = self._joined(batch)
        at_once = self._stacked(ids, joined) if stacked else None
        if at_once is not None:
            return at_once
        found: dict[str, Tensor] = {}
        for lookup in self.lookups:
            found |= lookup.look_up(ids)
        found |= self._joint_lookups.look_up(ids, joined)
        embeddings = {
            name: found[name] if name in found else self.table_of(name)(ids[name], spec.pooling)
            for name, spec in self.specs.items()
        }
        return torch.stack(list(embeddings.values()), dim=1) if stacked else embeddings

    def part(self, features: Collection[str]) -> EmbeddingCollection:
        """Returns a collection of some features, with the same tables, for serving.

        Args:
            features: Names of the features.
        """
        part = copy(self)
        part.specs = {name: spec for name, spec in self.specs.items() if name in features}
        keys = {_key(spec.name) for spec in part.specs.values()}
        part._modules = dict(self._modules)
        part.tables = nn.ModuleDict({key: t for key, t in self.tables.items() if key in keys})
        part.growing = nn.ModuleDict({key: g for key, g in self.growing.items() if key in keys})
        part._joint_lookups = JointLookups({}, {})
        return part

    def _stacked(self, ids: Mapping[str, IdList], joined: JoinedIds | None) -> Tensor | None:
        if not self.lookups:
            return self._joint_lookups.stacked(ids, joined)
        (lookup, *others) = self.lookups
        return None if others or lookup.features != tuple(ids) else lookup.stacked(ids)

    def growing_tables(self) -> list[tuple[GrowingIds, EmbeddingTable | ShardedTable]]:
        """Returns the tables that grow, each with the rows of its ids."""
        return [
            (ids, table)
            for key, ids in self.growing.items()
            if isinstance(table := self.tables[key], EmbeddingTable | ShardedTable)
            and isinstance(ids, GrowingIds)
        ]

    def freeze_ids(self) -> dict[str, int]:
        """Ends the growth of tables: which id has which row does not change any more.

        Returns:
            How many ids have a row of their own, by the name of the module of the table.
        """
        counts = {}
        for key, ids in self.growing.items():
            if isinstance(ids, GrowingIds):
                self.growing[key] = ids.sorted_ids()
                counts[key] = ids.occupancy
        return counts

    def _joined(self, batch: Batch) -> JoinedIds | None:
        # Ids of tables that grow are not the rows of these.
        plain = batch.plain_ids
        return plain if plain and not self.growing and plain.are_in(batch.sparse) else None

    def _ids(self, spec: EmbeddingSpec, ids: IdList) -> IdList:
        if spec.growth is None:
            return ids
        return IdList(self.growing[_key(spec.name)](ids.values), ids.offsets, ids.weights)

    def table_of(self, feature: str) -> nn.Module:
        """Returns the table of a feature."""
        return self.tables[_key(self.specs[feature].name)]


def specs_of(features: Iterable[Feature]) -> dict[str, EmbeddingSpec]:
    """Returns the tables of those features that have one, by feature name."""
    return {f.name: f.embedding for f in features if f.embedding is not None}


def _table(spec: EmbeddingSpec, seed: int) -> nn.Module:
    return EmbeddingTable(
        spec.num_embeddings,
        spec.dim,
        spec.trainable,
        dtype=DATA_TYPES[spec.data_type],
        name=spec.name,
        init=spec.init_fn,
        seed=seed,
    )


def _sharded_table(spec: EmbeddingSpec, seed: int) -> nn.Module:
    return ShardedTable(spec)


def _is_sharded(spec: EmbeddingSpec) -> bool:
    sharding = _sharding.get()
    if sharding is None or spec.dim % _WIDTH:
        return False
    if sharding.device_type == "cpu" and spec.data_type == "BF16":
        return False
    if not spec.sharding_types:
        return spec.num_embeddings >= sharding.smallest
    return spec.sharding_types != _REPLICATED


def _growing(spec: EmbeddingSpec, seed: int) -> nn.Module:
    assert spec.growth is not None
    return GrowingIds(spec.name, spec.num_embeddings, spec.growth, seed)


def _made(
    spec: EmbeddingSpec, seed: int, make: Callable[[EmbeddingSpec, int], nn.Module]
) -> nn.Module:
    try:
        return make(spec, seed)
    except RuntimeError as error:  # from the allocator, for which torch has no other type
        raise ConfigError(
            f"feature_configs: the table {spec.name} of {spec.num_embeddings:,} rows of {spec.dim} "
            f"numbers cannot be made, {first_line(error)}; give it fewer rows"
        ) from error


def _key(table: str) -> str:
    """Returns a name that a submodule can have.

    "type" is a method of modules, and dots separate the parts of paths.
    """
    return "t_" + table.replace("%", "%25").replace(".", "%2E")
