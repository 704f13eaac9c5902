"""Lookups in sharded tables, and the update of the rows that they met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor
from torchrec.distributed.embeddingbag import ShardedEmbeddingBagCollection
from torchrec.sparse.jagged_tensor import KeyedJaggedTensor

from raymon.data import EmbeddingSpec, IdList


@dataclass
class _Bags:
    """The ids of some features for the rows of a batch, or of several batches joined.

    Attributes:
        values: Ids of each feature, int64 `[n]`.
        lengths: Number of ids of each row, of each feature, int64 `[B]`.
        weights: Weights of the ids of each feature, `[n]`; None if the tables take none.
    """

    values: list[Tensor]
    lengths: list[Tensor]
    weights: list[Tensor] | None

    @classmethod
    def of(cls, ids: Sequence[IdList], weighted: bool) -> _Bags:
        return cls(
            [each.values for each in ids],
            [_lengths(each) for each in ids],
            [_weights(each) for each in ids] if weighted else None,
        )

    @classmethod
    def joined(cls, parts: Sequence[_Bags]) -> _Bags:
        """Returns the bags of several batches as those of one, in their order."""
        weights = [part.weights for part in parts if part.weights is not None]
        return cls(
            _cat_each([part.values for part in parts]),
            _cat_each([part.lengths for part in parts]),
            _cat_each(weights) if weights else None,
        )

    @property
    def rows(self) -> int:
        return len(self.lengths[0])


@dataclass
class _Kept:
    """A lookup of a step, until its rows are updated.

    Attributes:
        bags: Ids that were looked up.
        pooled: Embeddings with the graph to the tables, `[B, sum of dims]`.
        leaf: The same embeddings for the model, which collects their gradient.
    """

    bags: _Bags
    pooled: Tensor
    leaf: Tensor


class ShardedLookup:
    """The features of a collection whose tables one sharded module of TorchRec holds.

    The forward of the model uses a copy of the embeddings that is a leaf of its graph, so that a
    backward ends there. The way on, into the rows, is gone once per step of the optimizer: only
    then is the gradient of the whole group known, is it certain that a step in FP16 is made, and
    is its learning rate set. fbgemm adds up the gradients of a row before it updates it, however
    often it was looked up.

    Args:
        module: Sharded tables, which pool by sum.
        specs: Table of each feature, by the name of the feature.
        weighted: Whether the tables take weights of ids.
        trained: Whether their rows are updated.
    """

    def __init__(
        self,
        module: ShardedEmbeddingBagCollection,
        specs: Mapping[str, EmbeddingSpec],
        weighted: bool,
        trained: bool,
    ) -> None:
        self.module = module
        self._specs = dict(specs)
        self._weighted = weighted
        self._trained = trained
        self._keys = key_names(specs)
        self._kept: list[_Kept] = []

    def look_up(self, sparse: Mapping[str, IdList]) -> dict[str, Tensor]:
        """Returns the pooled embeddings `[B, dim]` by feature; every rank calls it.

        Args:
            sparse: Ids by feature; of a rank without rows, with B = 0.
        """
        bags = _Bags.of([sparse[name] for name in self._specs], self._weighted)
        recording = torch.is_grad_enabled() and self._trained
        # The kernels of fbgemm for the CPU exist with autograd alone.
        with torch.inference_mode(False), torch.set_grad_enabled(recording):
            pooled = self._pooled(bags)
        if recording:
            leaf = pooled.detach().requires_grad_()
            self._kept.append(_Kept(bags, pooled, leaf))
            pooled = leaf
        parts = pooled.split([spec.dim for spec in self._specs.values()], 1)
        return dict(zip(self._specs, parts, strict=True))

    def gradients(self) -> list[Tensor]:
        """Returns the gradients of the embeddings that were looked up since `clear`."""
        return [_gradient(kept) for kept in self._kept]

    def update(self, rate: float, factor: Tensor, limit: Tensor | None) -> None:
        """Updates the rows that were looked up since `clear`; every rank calls it.

        Args:
            rate: Learning rate.
            factor: Factor from the gradients of the embeddings to those of the loss, times the
                number of ranks, by which TorchRec divides; a scalar on the device.
            limit: Bound of the gradients of embeddings, before the factor; None for none.
        """
        if not self._kept:
            return
        kept, gradient = self._joined()
        if limit is not None:
            gradient = gradient.clamp(-limit, limit)
        optimizer = self.module.fused_optimizer
        for group in optimizer.param_groups:
            group["lr"] = rate
        # It moves no row, and hands the rate to the kernels.
        optimizer.step()
        kept.backward(gradient * factor)

    def clear(self) -> None:
        """Forgets what was looked up."""
        self._kept.clear()

    def _joined(self) -> tuple[Tensor, Tensor]:
        """Returns all embeddings, with their graph, and their gradients."""
        gradients = self.gradients()
        if len(self._kept) == 1:
            return self._kept[0].pooled, gradients[0]
        # A second forward, since a backward of each would update a row several times.
        pooled = self._pooled(_Bags.joined([kept.bags for kept in self._kept]))
        return pooled, torch.cat(gradients)

    def _pooled(self, bags: _Bags) -> Tensor:
        rows = bags.rows
        most = _most_rows(rows, bags.lengths[0].device)
        lengths = bags.lengths
        if most > rows:
            lengths = [torch.nn.functional.pad(each, (0, most - rows)) for each in lengths]
        jagged = KeyedJaggedTensor(
            keys=self._keys,
            values=torch.cat(bags.values),
            lengths=torch.cat(lengths),
            weights=None if bags.weights is None else torch.cat(bags.weights),
        )
        found = self.module(jagged).wait()
        pooled: Tensor = found.values()
        if found.keys() != self._keys:
            # TorchRec puts the tables first that are sharded in one way, then the others.
            by_key = found.to_dict()
            pooled = torch.cat([by_key[key] for key in self._keys], 1)
        pooled = pooled[:rows]
        # Ids with weights are added up.
        means = [s.pooling == "mean" and not s.weighted for s in self._specs.values()]
        if not any(means):
            return pooled
        parts = pooled.split([spec.dim for spec in self._specs.values()], 1)
        return torch.cat(
            [
                part / length.clamp_min(1).unsqueeze(1) if mean else part
                for part, length, mean in zip(parts, bags.lengths, means, strict=True)
            ],
            1,
        )


def key_names(specs: Mapping[str, EmbeddingSpec]) -> list[str]:
    """Returns names of features that TorchRec takes, whatever they are called."""
    return [f"f{number}" for number in range(len(specs))]


def _gradient(kept: _Kept) -> Tensor:
    # The loss of a batch may not depend on the embeddings.
    return torch.zeros_like(kept.leaf) if kept.leaf.grad is None else kept.leaf.grad


def _most_rows(rows: int, device: torch.device) -> int:
    """Returns the number of rows to which ranks fill up their batches with empty ones.

    gloo cannot sum up parts of unequal size; NCCL can.
    """
    if device.type == "cuda" or dist.get_world_size() == 1:
        return rows
    most = torch.tensor(rows)
    dist.all_reduce(most, op=dist.ReduceOp.MAX)
    return int(most)


def _lengths(ids: IdList) -> Tensor:
    if ids.offsets is None:
        return torch.ones_like(ids.values)
    ends = torch.nn.functional.pad(ids.offsets[1:], (0, 1), value=len(ids.values))
    return ends - ids.offsets if len(ids.offsets) else ids.offsets


def _weights(ids: IdList) -> Tensor:
    if ids.weights is None:
        return torch.ones(len(ids.values), device=ids.values.device)
    return ids.weights


def _cat_each(parts: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    return [torch.cat(each) for each in zip(*parts, strict=True)]
