"""Tables that TorchRec spreads over workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.distributed as dist
from fbgemm_gpu.split_table_batched_embeddings_ops_training import (
    SplitTableBatchedEmbeddingBagsCodegen,
)
from torch import Tensor
from torchrec.distributed.embeddingbag import ShardedEmbeddingBagCollection
from torchrec.sparse.jagged_tensor import KeyedJaggedTensor

from raymon.data import EmbeddingSpec
from raymon.embeddings.sharded.bags import Bags
from raymon.embeddings.sharded.fused_steps import set_steps
from raymon.embeddings.table_shards import Shard, TableShards


class DistributedTables:
    """A sharded module of TorchRec; every rank calls it.

    Args:
        module: The module, which pools by sum.
        names: Names of its tables.
        specs: The tables.
        features: Number of features.
        trained: Whether rows are updated.
        waiting: Makes a context within which a lookup waits for other ranks.
    """

    def __init__(
        self,
        module: ShardedEmbeddingBagCollection,
        names: Sequence[str],
        specs: Sequence[EmbeddingSpec],
        features: int,
        trained: bool,
        waiting: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._module = module
        self._waiting = waiting
        self._kernels = [
            kernels
            for lookup in module._lookups
            for kernels in lookup.modules()
            if isinstance(kernels, SplitTableBatchedEmbeddingBagsCodegen)
        ]
        self._keys = key_names(features)
        self._dims = [spec.dim for spec in specs]
        self._parameters = [f"embedding_bags.{name}.weight" for name in names]
        self._weights = module.state_dict()
        self._states = module.fused_optimizer.state_dict()["state"] if trained else {}

    def pooled(self, bags: Bags, steps: int) -> Tensor:
        """Returns the sums of embeddings `[B, sum of dims]`."""
        set_steps(self._kernels, steps)
        rows, lengths = bags.rows, bags.lengths
        with self._waiting():
            # Once all ranks are here, none waits for long in what TorchRec exchanges.
            most = _most_rows(rows, bags.lengths[0].device)
        if most > rows:
            lengths = [torch.nn.functional.pad(each, (0, most - rows)) for each in lengths]
        jagged = KeyedJaggedTensor(
            keys=self._keys,
            values=torch.cat(bags.values),
            lengths=torch.cat(lengths),
            weights=None if bags.weights is None else torch.cat(bags.weights),
        )
        found = self._module(jagged).wait()
        pooled: Tensor = found.values()
        if found.keys() != self._keys:
            # TorchRec puts the tables first that are sharded in one way, then the others.
            by_key = found.to_dict()
            pooled = torch.cat([by_key[key] for key in self._keys], 1)
        return pooled[:rows]

    def set_rate(self, rate: float) -> None:
        """Sets the learning rate of the next updates."""
        optimizer = self._module.fused_optimizer
        for group in optimizer.param_groups:
            group["lr"] = rate
        # It moves no row, and hands the rate to the kernels.
        optimizer.step()

    def weights(self, index: int) -> TableShards:
        """Returns the rows that are here of a table, by its number."""
        return _shards(self._weights[self._parameters[index]], self._dims[index])

    def states(self, index: int) -> Mapping[str, TableShards]:
        """Returns the states of these rows by fbgemm's names; none of a table without rows here."""
        found = self._states.get(self._parameters[index], {})
        named = {name.rpartition(".")[2]: state for name, state in found.items()}
        return {name: _shards(state, self._dims[index]) for name, state in named.items()}


def key_names(features: int) -> list[str]:
    """Returns names of features that TorchRec takes, whatever they are called."""
    return [f"f{number}" for number in range(features)]


def _most_rows(rows: int, device: torch.device) -> int:
    """Returns the number of rows to which ranks fill up their batches with empty ones.

    gloo cannot sum up parts of unequal size; NCCL can.
    """
    if device.type == "cuda":
        return rows
    most = torch.tensor(rows)
    dist.all_reduce(most, op=dist.ReduceOp.MAX)
    return int(most)


def _shards(tensor: Any, dim: int) -> TableShards:
    """Returns the parts of a `ShardedTensor` in the same memory; of a vector, as `[N, 1]`."""
    size = tensor.size()
    shards = []
    for part in tensor.local_shards():
        row, column = (*part.metadata.shard_offsets, 0)[:2]
        if not len(part.tensor):
            # Of a table with fewer rows than there are ranks.
            continue
        values = part.tensor.view(len(part.tensor), -1)
        shards.append(Shard(row, column if len(size) > 1 and size[1] == dim else 0, values))
    width = size[1] if len(size) > 1 else 1
    dtype = tensor.metadata().tensor_properties.dtype
    return TableShards(torch.Size((size[0], width)), dtype, tuple(shards))
