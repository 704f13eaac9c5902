"""All sharded tables of a model: placed, looked up, updated, and seen by checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from fbgemm_gpu.split_embedding_configs import EmbOptimType
from torch import Tensor, nn
from torchrec.distributed.types import ShardingEnv
from torchrec.modules.embedding_configs import DataType, EmbeddingBagConfig, PoolingType
from torchrec.modules.embedding_modules import EmbeddingBagCollection

from raymon.data import EmbeddingSpec
from raymon.embeddings.collection import EmbeddingCollection
from raymon.embeddings.data_types import DATA_TYPES
from raymon.embeddings.initial_values import fill
from raymon.embeddings.sharded.distributed_tables import DistributedTables, key_names
from raymon.embeddings.sharded.fused_optimizer import fused_optimizer
from raymon.embeddings.sharded.fused_tables import FusedTables
from raymon.embeddings.sharded.local_tables import LOCATIONS, LocalTables
from raymon.embeddings.sharded.lookup import ShardedLookup
from raymon.embeddings.sharded.planner import Constraint, Sharder, make_plan, quiet
from raymon.embeddings.sharded.workers import Workers
from raymon.embeddings.sharded_table import ShardedTable
from raymon.embeddings.table_shards import Shard, TableShards
from raymon.errors import ConfigError
from raymon.protos import optimizer_pb2 as pb

_ALONE = "table_wise"
"""How the table of a worker that is alone is sharded."""

_OF_COLUMNS = ("column_wise", "table_column_wise", "grid_shard")
"""Ways to shard that give a worker a part of the columns."""

_FROZEN: Mapping[str, Any] = {"optimizer": EmbOptimType.EXACT_SGD}
"""Arguments of the kernels of tables that are not trained, of which none keeps a state."""

_TYPES = {"FP32": DataType.FP32, "FP16": DataType.FP16, "BF16": DataType.BF16}


@dataclass
class _Group:
    """Tables of a collection that are looked up together.

    Attributes:
        collection: The collection.
        specs: Table of each feature, by the name of the feature.
        tables: The tables.
        paths: Path of each table in the model.
        features: Number of the table of each feature.
        weighted: Whether ids have weights.
        trained: Whether rows are updated.
    """

    collection: EmbeddingCollection
    specs: dict[str, EmbeddingSpec]
    tables: list[EmbeddingSpec]
    paths: list[str]
    features: list[int]
    weighted: bool
    trained: bool


class ShardedTables:
    """The sharded tables of a model, which TorchRec places and fbgemm looks up and updates.

    Every rank makes it at the same point. Afterwards its collections can be called.

    Args:
        collections: Collections that were made in the context of `sharded_tables`, by their path
            in the model.
        block: Optimizer of the tables.
        workers: The workers that hold them.
        limit: Bound of the gradients of looked-up embeddings; None for none.

    Attributes:
        tables: What this worker holds of each table, by the path of the parameter.
        states: What it holds of the states of its optimizer, by the path and the name of the state.
        placements: How each table is sharded, by the path of the parameter.

    Raises:
        ConfigError: No plan satisfies the constraints, or fits into the memory.
    """

    def __init__(
        self,
        collections: Mapping[str, EmbeddingCollection],
        block: pb.SparseOptimizer,
        workers: Workers,
        limit: float | None,
    ) -> None:
        alone = workers.world_size == 1
        self._groups = [g for path, one in collections.items() for g in _groups(path, one, alone)]
        self._optimizer = fused_optimizer(block)
        self._limit = limit
        self._scale = torch.ones((), device=workers.device)
        self._world_size = workers.world_size
        self._lookups: list[ShardedLookup] = []
        self.tables: dict[str, TableShards] = {}
        self.states: dict[str, dict[str, TableShards]] = {}
        self.placements: dict[str, Placement] = {}
        self._steps = 0
        with quiet():
            self._place(workers)

    @property
    def steps(self) -> int:
        """Steps that the optimizer has made."""
        return self._steps

    @steps.setter
    def steps(self, steps: int) -> None:
        self._steps = steps
        for lookup in self._lookups:
            lookup.steps = steps

    @property
    def initial(self) -> float:
        """The number that the states of rows begin with."""
        return self._optimizer.initial

    def begin(self, scale: Tensor) -> None:
        """Sets the scale of the gradients of the next backward.

        Args:
            scale: Factor between these gradients and those of the loss of the global batch; a
                scalar on the device.
        """
        self._scale = scale

    def is_finite(self) -> Tensor:
        """Returns whether all gradients of this rank are finite, a bool on the device."""
        gradients = [g for lookup in self._lookups for g in lookup.gradients()]
        checks = [torch.isfinite(gradient).all() for gradient in gradients]
        # A step without lookups has none that is not.
        found = torch.stack(checks) if checks else torch.ones_like(self._scale, dtype=torch.bool)
        return found.all()

    def step(self, rate: float) -> None:
        """Updates the rows that were looked up since `clear`; every rank calls it.

        Args:
            rate: Learning rate.
        """
        factor = self._world_size / self._scale
        limit = None if self._limit is None else self._limit * self._scale
        for lookup in self._lookups:
            lookup.update(rate, factor, limit)
        self.steps += 1

    def clear(self) -> None:
        """Forgets what was looked up."""
        for lookup in self._lookups:
            lookup.clear()

    def _place(self, workers: Workers) -> None:
        of_worker = _alone if workers.world_size == 1 else _distributed
        row_wise = bool(self._optimizer.row_wise)
        for group, made, placements in of_worker(self._groups, self._arguments, workers, row_wise):
            self._add(group, made, placements)

    def _arguments(self, group: _Group) -> dict[str, Any]:
        """Returns the arguments of the kernels that update the rows of a group."""
        return dict(self._optimizer.arguments) if group.trained else dict(_FROZEN)

    def _add(self, group: _Group, made: FusedTables, placements: Sequence[Placement]) -> None:
        """Takes over tables that were placed, and gives them their initial values."""
        lookup = ShardedLookup(made, group.specs, group.weighted, group.trained)
        group.collection.lookups.append(lookup)
        self._lookups.append(lookup)
        for index, (spec, path) in enumerate(zip(group.tables, group.paths, strict=True)):
            shards = made.weights(index)
            for shard in shards.shards:
                _fill(shard, spec, group.collection.seed)
            self.tables[path] = shards
            self.placements[path] = placements[index]
            _table_of(group.collection, spec.name).shards = shards
            if group.trained:
                self.states[path] = self._states(spec, made.states(index))

    def _states(
        self, spec: EmbeddingSpec, found: Mapping[str, TableShards]
    ) -> dict[str, TableShards]:
        """Returns the states of a table, with their initial values."""
        states: dict[str, TableShards] = {}
        for number, name in enumerate(self._optimizer.states, 1):
            width = 1 if name in self._optimizer.row_wise else spec.dim
            shape = torch.Size((spec.num_embeddings, width))
            none = TableShards(shape, torch.float32, ())
            states[name] = found.get(f"momentum{number}", none)
            for shard in states[name].shards:
                shard.values.fill_(self._optimizer.initial)
        return states


@dataclass(frozen=True)
class Placement:
    """How a table is sharded.

    Attributes:
        sharding: Way to shard it, such as `row_wise`.
        kernel: Kernel that holds it, such as `fused`.
        ranks: Rank and number of rows and columns of each part.
    """

    sharding: str
    kernel: str
    ranks: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, parameter: Any) -> Placement:
        """Returns the placement in a `ParameterSharding` of TorchRec."""
        parts = parameter.sharding_spec.shards
        return cls(
            parameter.sharding_type,
            parameter.compute_kernel,
            tuple((part.placement.rank(), *part.shard_sizes) for part in parts),
        )


def _groups(path: str, collection: EmbeddingCollection, alone: bool) -> Iterator[_Group]:
    """Yields the tables of a collection by what they have in common."""
    of_features = {
        name: spec
        for name, spec in collection.specs.items()
        if isinstance(collection.table_of(name), ShardedTable)
    }
    weighted = {spec.name for spec in of_features.values() if spec.weighted}
    of_positions = {spec.name for spec in of_features.values() if spec.of_positions}

    def kind(spec: EmbeddingSpec) -> tuple[bool, bool, str, bool]:
        # TorchRec itself keeps types of numbers apart. Lookups of positions have more rows.
        data_type = spec.data_type if alone else ""
        return spec.name in weighted, spec.trainable, data_type, spec.name in of_positions

    keys = {id(table): key for key, table in collection.tables.items()}
    for own in dict.fromkeys(map(kind, of_features.values())):
        takes_weights, trained, *_ = own
        found = {name: spec for name, spec in of_features.items() if kind(spec) == own}
        tables = {spec.name: spec for spec in found.values()}
        # Table by table: on the CPU, fbgemm only adds up the gradients of a row over features that
        # are neighbours, and would update it twice for others.
        specs = {
            name: spec for table in tables for name, spec in found.items() if spec.name == table
        }
        numbers = {table: number for number, table in enumerate(tables)}
        paths = {
            spec.name: f"{path}.tables.{keys[id(collection.table_of(name))]}.weight"
            for name, spec in specs.items()
        }
        yield _Group(
            collection,
            specs,
            list(tables.values()),
            [paths[table] for table in tables],
            [numbers[spec.name] for spec in specs.values()],
            takes_weights,
            trained,
        )


def _kernel(spec: EmbeddingSpec) -> str:
    """Returns the kernel of a table of a worker that is alone.

    Raises:
        ConfigError: The constraints of the table leave none.
    """
    asked = spec.compute_kernels or ("fused",)
    known = [kernel for kernel in asked if kernel in LOCATIONS]
    if "fused" in known:
        return "fused"
    if not known:
        raise ConfigError(
            f"feature_configs: the table {spec.name} cannot be placed as embedding_constraints "
            f"({', '.join(asked)}) ask: no plan on this device has that"
        )
    return known[0]


_Arguments = Callable[[_Group], dict[str, Any]]
_Placed = Iterator[tuple[_Group, FusedTables, list[Placement]]]


def _alone(
    groups: Sequence[_Group], arguments: _Arguments, workers: Workers, row_wise: bool
) -> _Placed:
    """Yields the groups with their tables, all of them on this worker."""
    for group in groups:
        kernels = [_kernel(spec) for spec in group.tables]
        placements = [
            Placement(_ALONE, kernel, ((0, spec.num_embeddings, spec.dim),))
            for kernel, spec in zip(kernels, group.tables, strict=True)
        ]
        device = workers.device
        made = LocalTables(group.tables, kernels, group.features, arguments(group), device)
        yield group, made, placements


def _sharding_types(spec: EmbeddingSpec, row_wise: bool) -> list[str]:
    """Returns how a table may be sharded; empty if in any way.

    Args:
        spec: The table.
        row_wise: Whether its optimizer keeps a mean over a row, which parts of a row do not have.

    Raises:
        ConfigError: It may only be sharded in ways that its optimizer does not have.
    """
    fitting = [one for one in spec.sharding_types if not (row_wise and one in _OF_COLUMNS)]
    if spec.sharding_types and not fitting:
        raise ConfigError(
            f"feature_configs: the table {spec.name} cannot be placed as embedding_constraints "
            f"({', '.join(spec.sharding_types)}) ask: its sparse_optimizer keeps a number per row, "
            "and a worker would have a part of the columns"
        )
    return fitting


def _distributed(
    groups: Sequence[_Group], arguments: _Arguments, workers: Workers, row_wise: bool
) -> _Placed:
    """Yields the groups with their tables, as TorchRec has placed them."""
    modules = nn.ModuleDict()
    constraints: dict[str, Constraint] = {}
    for number, group in enumerate(groups):
        configs = _configs(number, group)
        modules[f"g{number}"] = EmbeddingBagCollection(
            tables=configs, is_weighted=group.weighted, device=torch.device("meta")
        )
        for config, spec in zip(configs, group.tables, strict=True):
            kinds = _sharding_types(spec, row_wise), spec.compute_kernels
            size = spec.num_embeddings * spec.dim * DATA_TYPES[spec.data_type].itemsize
            constraints[config.name] = Constraint(spec.name, spec.num_embeddings, size, *kinds)
    sharders = {group.trained: Sharder(fused_params=arguments(group)) for group in groups}
    of_plan = sharders.get(True) or sharders[False]
    plan = make_plan(modules, of_plan, constraints, workers)
    env = ShardingEnv.from_process_group(dist.group.WORLD)
    for number, group in enumerate(groups):
        of_group = plan.plan[f"g{number}"]
        sharder = sharders[group.trained]
        module = sharder.shard(modules[f"g{number}"], of_group, env, workers.device)
        names = [f"g{number}t{index}" for index in range(len(group.tables))]
        made = DistributedTables(
            module, names, group.tables, len(group.specs), group.trained, workers.waiting
        )
        yield group, made, [Placement.of(of_group[name]) for name in names]


def _configs(number: int, group: _Group) -> list[EmbeddingBagConfig]:
    keys = key_names(len(group.specs))
    return [
        EmbeddingBagConfig(
            name=f"g{number}t{index}",
            num_embeddings=spec.num_embeddings,
            embedding_dim=spec.dim,
            feature_names=[
                key for key, own in zip(keys, group.features, strict=True) if own == index
            ],
            data_type=_TYPES[spec.data_type],
            pooling=PoolingType.SUM,
            # The rows are filled afterwards.
            init_fn=_nothing,
        )
        for index, spec in enumerate(group.tables)
    ]


def _nothing(values: Tensor) -> None:
    pass


def _fill(shard: Shard, spec: EmbeddingSpec, seed: int) -> None:
    place = {"first_row": shard.row, "first_column": shard.column}
    fill(shard.values, spec.name, (spec.num_embeddings, spec.dim), spec.init_fn, seed, **place)


def _table_of(collection: EmbeddingCollection, table: str) -> ShardedTable:
    feature = next(name for name, spec in collection.specs.items() if spec.name == table)
    found = collection.table_of(feature)
    assert isinstance(found, ShardedTable)
    return found
