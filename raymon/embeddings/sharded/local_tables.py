"""Tables of a worker that is alone: fbgemm's kernels, without the ways between workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from fbgemm_gpu.split_embedding_configs import SparseType
from fbgemm_gpu.split_table_batched_embeddings_ops_common import EmbeddingLocation
from fbgemm_gpu.split_table_batched_embeddings_ops_training import (
    ComputeDevice,
    SplitTableBatchedEmbeddingBagsCodegen,
)
from torch import Tensor

from raymon.data import EmbeddingSpec
from raymon.embeddings.sharded.bags import Bags
from raymon.embeddings.sharded.fused_steps import set_steps
from raymon.embeddings.table_shards import Shard, TableShards

_PRECISIONS = {"FP32": SparseType.FP32, "FP16": SparseType.FP16, "BF16": SparseType.BF16}

LOCATIONS = {
    "fused": EmbeddingLocation.DEVICE,
    "fused_uvm": EmbeddingLocation.MANAGED,
    "fused_uvm_caching": EmbeddingLocation.MANAGED_CACHING,
}
"""Where the rows of a table are with each kernel, on CUDA."""


class LocalTables:
    """Whole tables, of one type of numbers.

    TorchRec's sharded modules would send ids and embeddings to this worker itself: 0.3 to 0.4 ms of
    a step of 0.4 to 1.5.

    Args:
        tables: The tables.
        kernels: Kernel of each, by its name in a config.
        features: Number of the table of each feature.
        arguments: Arguments of the optimizer.
        device: Device of the worker.
    """

    def __init__(
        self,
        tables: Sequence[EmbeddingSpec],
        kernels: Sequence[str],
        features: Sequence[int],
        arguments: Mapping[str, Any],
        device: torch.device,
    ) -> None:
        on_cpu = device.type == "cpu"
        compute = ComputeDevice.CPU if on_cpu else ComputeDevice.CUDA
        places = [EmbeddingLocation.HOST if on_cpu else LOCATIONS[kernel] for kernel in kernels]
        self._kernels = SplitTableBatchedEmbeddingBagsCodegen(
            [
                (spec.num_embeddings, spec.dim, place, compute)
                for spec, place in zip(tables, places, strict=True)
            ],
            feature_table_map=list(features),
            weights_precision=_PRECISIONS[tables[0].data_type],
            device=device,
            **arguments,
        )
        self._weights = self._kernels.split_embedding_weights()
        # It is an empty list, not one of tables, if the optimizer keeps nothing.
        states = self._kernels.split_optimizer_states()
        self._states: list[list[Tensor]] = states or [[] for _ in tables]

    def pooled(self, bags: Bags, steps: int) -> Tensor:
        """Returns the sums of embeddings `[B, sum of dims]`."""
        set_steps([self._kernels], steps)
        lengths = torch.cat(bags.lengths)
        offsets = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
        weights = None if bags.weights is None else torch.cat(bags.weights)
        found: Tensor = self._kernels(torch.cat(bags.values), offsets, weights)
        return found

    def set_rate(self, rate: float) -> None:
        """Sets the learning rate of the next updates."""
        self._kernels.set_learning_rate(rate)

    def weights(self, index: int) -> TableShards:
        """Returns the rows of a table, by its number."""
        return _whole(self._weights[index].data)

    def states(self, index: int) -> dict[str, TableShards]:
        """Returns the states of these rows by fbgemm's names."""
        rows = len(self._weights[index])
        return {
            f"momentum{number}": _whole(state.data.view(rows, -1))
            for number, state in enumerate(self._states[index], 1)
        }


def _whole(values: Tensor) -> TableShards:
    return TableShards(values.shape, values.dtype, (Shard(0, 0, values),))
