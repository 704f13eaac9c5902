"""Lookups in sharded tables, and the update of the rows that they met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from raymon.data import EmbeddingSpec, IdList
from raymon.embeddings.sharded.bags import Bags, rows_of
from raymon.embeddings.sharded.fused_tables import FusedTables


@dataclass
class _Kept:
    """A lookup of a step, until its rows are updated.

    Attributes:
        bags: Ids that were looked up.
        pooled: Embeddings with the graph to the tables, `[B, sum of dims]`.
        leaf: The same embeddings for the model, which collects their gradient.
    """

    bags: Bags
    pooled: Tensor
    leaf: Tensor


class ShardedLookup:
    """The features of a collection whose tables are looked up together.

    The forward of the model uses a copy of the embeddings that is a leaf of its graph, so that a
    backward ends there. The way on, into the rows, is gone once per step of the optimizer: only
    then is the gradient of the whole group known, is it certain that a step in FP16 is made, and
    is its learning rate set. fbgemm adds up the gradients of a row before it updates it, however
    often it was looked up.

    Args:
        tables: The tables, which pool by sum.
        specs: Table of each feature, by the name of the feature.
        weighted: Whether the tables take weights of ids.
        trained: Whether their rows are updated.

    Attributes:
        steps: Steps that the optimizer has made.
    """

    def __init__(
        self,
        tables: FusedTables,
        specs: Mapping[str, EmbeddingSpec],
        weighted: bool,
        trained: bool,
    ) -> None:
        self._tables = tables
        self._specs = dict(specs)
        self._weighted = weighted
        self._trained = trained
        self._kept: list[_Kept] = []
        self.steps = 0

    def look_up(self, sparse: Mapping[str, IdList]) -> dict[str, Tensor]:
        """Returns the pooled embeddings `[B, dim]` by feature, those of positions `[P, dim]`.

        Every rank calls it.

        Args:
            sparse: Ids by feature; of a rank without rows, with B = 0.
        """
        parts = self._looked_up(sparse).split([spec.dim for spec in self._specs.values()], 1)
        found = dict(zip(self._specs, parts, strict=True))
        return {name: part[: rows_of(sparse[name])] for name, part in found.items()}

    @property
    def features(self) -> tuple[str, ...]:
        """The features, in the order in which they are looked up."""
        return tuple(self._specs)

    def stacked(self, sparse: Mapping[str, IdList]) -> Tensor:
        """Returns the pooled embeddings `[B, F, dim]` of features of one size, as `look_up`."""
        pooled = self._looked_up(sparse)
        return pooled.view(len(pooled), len(self._specs), pooled.shape[1] // len(self._specs))

    def _looked_up(self, sparse: Mapping[str, IdList]) -> Tensor:
        bags = Bags.of([sparse[name] for name in self._specs], self._weighted)
        recording = torch.is_grad_enabled() and self._trained
        # The kernels of fbgemm for the CPU exist with autograd alone.
        with torch.inference_mode(False), torch.set_grad_enabled(recording):
            pooled = self._pooled(bags)
        if recording:
            leaf = pooled.detach().requires_grad_()
            self._kept.append(_Kept(bags, pooled, leaf))
            pooled = leaf
        return pooled

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
        self._tables.set_rate(rate)
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
        pooled = self._pooled(Bags.joined([kept.bags for kept in self._kept]))
        return pooled, torch.cat(gradients)

    def _pooled(self, bags: Bags) -> Tensor:
        pooled = self._tables.pooled(bags, self.steps)
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


def _gradient(kept: _Kept) -> Tensor:
    # The loss of a batch may not depend on the embeddings.
    return torch.zeros_like(kept.leaf) if kept.leaf.grad is None else kept.leaf.grad
