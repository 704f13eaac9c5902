"""All sharded tables of a model: placed, looked up, updated, and seen by checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from fbgemm_gpu.split_embedding_configs import EmbOptimType
from torch import Tensor, nn
from torchrec.distributed.embeddingbag import ShardedEmbeddingBagCollection
from torchrec.distributed.types import ShardingEnv
from torchrec.modules.embedding_configs import DataType, EmbeddingBagConfig, PoolingType
from torchrec.modules.embedding_modules import EmbeddingBagCollection

from raymon.data import EmbeddingSpec
from raymon.embeddings.collection import EmbeddingCollection
from raymon.embeddings.data_types import DATA_TYPES
from raymon.embeddings.initial_values import fill
from raymon.embeddings.sharded.fused_optimizer import fused_optimizer
from raymon.embeddings.sharded.lookup import ShardedLookup, key_names
from raymon.embeddings.sharded.planner import Constraint, Sharder, make_plan, quiet
from raymon.embeddings.sharded.workers import Workers
from raymon.embeddings.sharded_table import ShardedTable
from raymon.embeddings.table_shards import Shard, TableShards
from raymon.protos import optimizer_pb2 as pb

_TYPES = {"FP32": DataType.FP32, "FP16": DataType.FP16, "BF16": DataType.BF16}


@dataclass
class _Group:
    """Tables of a collection that are looked up together.

    Attributes:
        collection: The collection.
        specs: Table of each feature, by the name of the feature.
        paths: Path of each table in the model, by its name.
        weighted: Whether ids have weights.
        trained: Whether rows are updated.
    """

    collection: EmbeddingCollection
    specs: dict[str, EmbeddingSpec]
    paths: dict[str, str]
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
        steps: Steps that the optimizer has made.
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
        self._groups = [g for path, one in collections.items() for g in _groups(path, one)]
        self._optimizer = fused_optimizer(block)
        self._limit = limit
        self._scale = torch.ones((), device=workers.device)
        self._world_size = workers.world_size
        self._lookups: list[ShardedLookup] = []
        self.tables: dict[str, TableShards] = {}
        self.states: dict[str, dict[str, TableShards]] = {}
        self.placements: dict[str, Placement] = {}
        self.steps = 0
        self._trained: list[str] = []
        with quiet():
            self._place(workers)

    @property
    def trained(self) -> list[str]:
        """Paths of the tables that are trained."""
        return self._trained

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
        return torch.stack(checks).all() if checks else torch.tensor(True)

    def step(self, rate: float) -> None:
        """Updates the rows that were looked up since `clear`; every rank calls it.

        Args:
            rate: Learning rate.
        """
        self.steps += 1
        factor = self._world_size / self._scale
        limit = None if self._limit is None else self._limit * self._scale
        for lookup in self._lookups:
            lookup.update(rate, factor, limit)

    def clear(self) -> None:
        """Forgets what was looked up."""
        for lookup in self._lookups:
            lookup.clear()

    def _place(self, workers: Workers) -> None:
        modules = nn.ModuleDict()
        constraints: dict[str, Constraint] = {}
        for number, group in enumerate(self._groups):
            configs = _configs(number, group)
            modules[f"g{number}"] = EmbeddingBagCollection(
                tables=configs, is_weighted=group.weighted, device=torch.device("meta")
            )
            named = {spec.name: spec for spec in group.specs.values()}
            for config, spec in zip(configs, named.values(), strict=True):
                kinds = spec.sharding_types, spec.compute_kernels
                size = spec.num_embeddings * spec.dim * DATA_TYPES[spec.data_type].itemsize
                constraints[config.name] = Constraint(spec.name, size, *kinds)
        sharder = Sharder(fused_params=dict(self._optimizer.arguments))
        frozen = Sharder(fused_params={"optimizer": EmbOptimType.EXACT_SGD})
        plan = make_plan(modules, sharder, constraints, workers)
        env = ShardingEnv.from_process_group(dist.group.WORLD)
        for number, group in enumerate(self._groups):
            name = f"g{number}"
            by = sharder if group.trained else frozen
            sharded = by.shard(modules[name], plan.plan[name], env, workers.device)
            lookup = ShardedLookup(sharded, group.specs, group.weighted, group.trained)
            group.collection.lookups.append(lookup)
            self._lookups.append(lookup)
            self._read_shards(number, group, sharded)
            for index, path in enumerate(group.paths.values()):
                self.placements[path] = Placement.of(plan.plan[name][f"g{number}t{index}"])

    def _read_shards(
        self, number: int, group: _Group, module: ShardedEmbeddingBagCollection
    ) -> None:
        weights = module.state_dict()
        states = module.fused_optimizer.state_dict()["state"] if group.trained else {}
        specs = {spec.name: spec for spec in group.specs.values()}
        for index, (table, path) in enumerate(group.paths.items()):
            key = f"embedding_bags.g{number}t{index}.weight"
            shards = _shards(weights[key], specs[table].dim)
            for shard in shards.shards:
                _fill(shard, specs[table], group.collection.seed)
            self.tables[path] = shards
            _table_of(group.collection, table).shards = shards
            if group.trained:
                self._trained.append(path)
                self.states[path] = self._states(specs[table], states.get(key, {}))

    def _states(self, spec: EmbeddingSpec, found: Mapping[str, Any]) -> dict[str, TableShards]:
        """Returns the states of a table, with their initial values."""
        # Of a table without a part here TorchRec knows no states.
        of_kernel = {name.rpartition(".")[2]: value for name, value in found.items()}
        states: dict[str, TableShards] = {}
        for index, name in enumerate(self._optimizer.states, 1):
            width = 1 if name in self._optimizer.row_wise else spec.dim
            value = of_kernel.get(f"momentum{index}")
            if value is None:
                shape = torch.Size((spec.num_embeddings, width))
                states[name] = TableShards(shape, torch.float32, ())
                continue
            states[name] = _shards(value, width)
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


def _groups(path: str, collection: EmbeddingCollection) -> Iterator[_Group]:
    """Yields the tables of a collection by whether they take weights, and are trained."""
    of_features = {
        name: spec
        for name, spec in collection.specs.items()
        if isinstance(collection.table_of(name), ShardedTable)
    }
    weighted = {spec.name for spec in of_features.values() if spec.weighted}
    for takes_weights in (False, True):
        for trained in (True, False):
            specs = {
                name: spec
                for name, spec in of_features.items()
                if (spec.name in weighted) == takes_weights and spec.trainable == trained
            }
            if specs:
                keys = {id(table): key for key, table in collection.tables.items()}
                paths = {
                    spec.name: f"{path}.tables.{keys[id(collection.table_of(name))]}.weight"
                    for name, spec in specs.items()
                }
                yield _Group(collection, specs, paths, takes_weights, trained)


def _configs(number: int, group: _Group) -> list[EmbeddingBagConfig]:
    keys = dict(zip(group.specs, key_names(group.specs), strict=True))
    configs = []
    for index, table in enumerate(group.paths):
        features = [name for name, spec in group.specs.items() if spec.name == table]
        spec = group.specs[features[0]]
        configs.append(
            EmbeddingBagConfig(
                name=f"g{number}t{index}",
                num_embeddings=spec.num_embeddings,
                embedding_dim=spec.dim,
                feature_names=[keys[name] for name in features],
                data_type=_TYPES[spec.data_type],
                pooling=PoolingType.SUM,
                # The rows are filled afterwards.
                init_fn=_nothing,
            )
        )
    return configs


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


def _shards(tensor: Any, width: int) -> TableShards:
    """Returns the parts of a `ShardedTensor`, in the same memory, as rows of `width` numbers."""
    size = tensor.size()
    shards = []
    for part in tensor.local_shards():
        row, column = (*part.metadata.shard_offsets, 0)[:2]
        values = part.tensor
        shards.append(Shard(row, column if width > 1 else 0, values.view(len(values), -1)))
    dtype = tensor.metadata().tensor_properties.dtype
    return TableShards(torch.Size((size[0], width)), dtype, tuple(shards))
