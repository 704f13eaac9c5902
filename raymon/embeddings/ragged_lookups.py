"""Lookups of several or no ids a row, of many features at once, in one joint table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import Tensor

from raymon.data import IdList
from raymon.embeddings.joint_table import JointTable
from raymon.embeddings.row_gradients import look_up

_MOST_BYTES = 8 << 20
"""Bytes of gradients of ids that are still added faster at once than one by one on the CPU.

For 10 features of 4,096 rows of 3 ids each, in tables of 10,000 rows of 16 numbers, forward and
backward take 7.4 ms on one thread, one by one 7.6; for 256 rows 0.5 and 0.9. For 26 features of
4,096 rows they take 21.2 and 20.0: the cache holds the gradient of one.
"""


class RaggedLookup(NamedTuple):
    """A lookup of ragged features in one joint table.

    Attributes:
        joint: The joint table.
        averaged: Features whose embeddings are averaged, without weights.
        summed: Features whose embeddings are added up, without weights.
        weighted: Features whose ids have weights; their embeddings are added up.
        first_rows: Index in the joint table of the first row of the table of each feature, in this
            order.
    """

    joint: JointTable
    averaged: tuple[str, ...]
    summed: tuple[str, ...]
    weighted: tuple[str, ...]
    first_rows: tuple[int, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """All features, F of them, in their order here."""
        return self.averaged + self.summed + self.weighted

    def is_faster(self, ids: Mapping[str, IdList]) -> bool:
        """Whether the features are looked up faster at once than one by one.

        Args:
            ids: Ids by the name of the feature.
        """
        table = self.joint.weight
        count = sum(len(ids[name].values) for name in self.features)
        return not table.is_cpu or 4 * count * table.shape[1] <= _MOST_BYTES

    def look_up(self, ids: Mapping[str, IdList]) -> dict[str, Tensor]:
        """Returns the embeddings `[B, D]` of each feature.

        Args:
            ids: Ids by the name of the feature.
        """
        bags, rows = _bags(self, [ids[name] for name in self.features]), self.joint.rows
        if rows is not None and torch.is_grad_enabled():
            pooled = _collected(rows.anchor, self, bags)
        else:
            pooled = _pooled(self, bags)
        return dict(zip(self.features, pooled, strict=True))


class _Bags(NamedTuple):
    """The ids of features in bags, one for each row of a batch of each feature: F x B of them.

    Attributes:
        rows: Row of the joint table of each id, int64 `[N]`.
        offsets: Index in `rows` at which each bag begins, and N, int64 `[F B + 1]`.
        lengths: Ids of each bag, int64 `[F B]`.
        divisors: Ids of each bag of the features that are averaged, at least 1, int64 `[n, 1]`;
            None if no feature is.
        weights: Factor of each id, float32 `[N]`; None if all are 1.
        first: Index of the first id that has a weight.
        counts: Ids of each feature.
    """

    rows: Tensor
    offsets: Tensor
    lengths: Tensor
    divisors: Tensor | None
    weights: Tensor | None
    first: int
    counts: list[int]


def _bags(lookup: RaggedLookup, ids: Sequence[IdList]) -> _Bags:
    values = [each.values for each in ids]
    counts = [len(each) for each in values]
    *begins, end = accumulate(counts, initial=0)
    offsets = _offsets(ids)
    # In one memory, to which one launch adds the numbers that the shapes tell.
    last = values[0].new_full((1,), end)
    memory = torch.cat([*values, *offsets, last])
    parts = memory[:-1].split([*counts, *map(len, offsets)])
    torch._foreach_add_(parts, [*lookup.first_rows, *begins])
    bounds = memory[end:]
    lengths = bounds[1:] - bounds[:-1]
    divisors = None
    if lookup.averaged:
        of_averaged = lengths[: len(lookup.averaged) * len(offsets[0])]
        divisors = of_averaged.clamp_min(1).unsqueeze(1)
    weights = [each.weights for each in ids if each.weights is not None]
    first = end - sum(map(len, weights))
    factors = torch.cat([weights[0].new_ones(first), *weights]) if weights else None
    return _Bags(memory[:end], bounds, lengths, divisors, factors, first, counts)


def _offsets(ids: Sequence[IdList]) -> list[Tensor]:
    of_single: Tensor | None = None
    found = []
    for each in ids:
        offsets = each.offsets
        if offsets is None:
            # With one weighted id in every row they are the same for all features.
            if of_single is None:
                of_single = torch.arange(len(each.values), device=each.values.device)
            offsets = of_single
        found.append(offsets)
    return found


def _pooled(lookup: RaggedLookup, bags: _Bags) -> tuple[Tensor, ...]:
    ids = IdList(bags.rows, bags.offsets[:-1], bags.weights)
    pooled = look_up(lookup.joint.weight.detach(), ids, "sum")
    _average(pooled, bags)
    count = len(lookup.features)
    # No views for autograd: a model may write into the embeddings of one feature.
    return pooled.unsafe_split_with_sizes([len(pooled) // count] * count)


def _average(of_bags: Tensor, bags: _Bags) -> None:
    if bags.divisors is not None:
        of_bags[: len(bags.divisors)].div_(bags.divisors)


class _Collected(torch.autograd.Function):
    """Pooled embeddings of several features, whose gradients go to `RowGradients`."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, lookup: RaggedLookup, bags: _Bags) -> tuple[Tensor, ...]:
        """Returns the embeddings of each feature, `[B, D]`."""
        ctx.rows, ctx.bags = lookup.joint.rows, bags
        ctx.set_materialize_grads(False)
        return _pooled(lookup, bags)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[None, None, None]:
        """Adds the gradients to those of the rows; there is none for the arguments."""
        rows, bags = ctx.rows, ctx.bags
        like = next(one for one in gradients if one is not None)
        whole = [torch.zeros_like(like) if one is None else one for one in gradients]
        gradient = rows.clipped(torch.cat(whole))
        _average(gradient, bags)
        # It would wait for the device to find the size.
        gradient = gradient.repeat_interleave(bags.lengths, 0, output_size=len(bags.rows))
        if bags.weights is not None:
            gradient[bags.first :] *= bags.weights[bags.first :].unsqueeze(1)
        if all(one is not None for one in gradients):
            rows.add(bags.rows, gradient)
            return None, None, None
        # Embeddings that no loss depends on have no gradient, and their rows do not move.
        parts = zip(bags.rows.split(bags.counts), gradient.split(bags.counts), strict=True)
        for one, (of_feature, values) in zip(gradients, parts, strict=True):
            if one is not None:
                rows.add(of_feature, values)
        return None, None, None


_collected: Callable[[Tensor, RaggedLookup, _Bags], tuple[Tensor, ...]] = _Collected.apply
