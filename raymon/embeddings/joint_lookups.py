"""Lookups of the ids of many features at once, in tables that lie in one memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from raymon.data import IdList, JoinedIds
from raymon.embeddings.data_types import row_type
from raymon.embeddings.id_bounds import check_ids
from raymon.embeddings.joint_table import JointTable
from raymon.embeddings.ragged_lookups import RaggedLookup
from raymon.embeddings.row_gradients import RowGradients
from raymon.embeddings.table import EmbeddingTable

_CACHED_BYTES = 1 << 20
"""Bytes of gradients that the cache of a CPU holds while they are added to those of rows."""

_MOST_PLANS = 64
"""Most plans that are kept: a feature may have one id in every row of one batch, not of another."""

_PLAIN, _WEIGHTED = "plain", "weighted"


class _Lookup(NamedTuple):
    """A lookup in one joint table.

    Attributes:
        joint: The joint table.
        features: Features with one id a row, F of them.
        tables: Table of each feature.
        first_rows: Index in the joint table of the first row of the table of each feature, int64
            `[F, 1]`.
        at: Which rows of the joined ids of a batch are those of the features: the bounds of a
            range, or their indices, int64 `[F]`; None if the batch has not joined them all.
    """

    joint: JointTable
    features: tuple[str, ...]
    tables: tuple[EmbeddingTable, ...]
    first_rows: Tensor
    at: tuple[int, int] | Tensor | None


class _Plan(NamedTuple):
    """How the features of a batch are looked up.

    Attributes:
        plain: Lookups of features with one id a row and no weights.
        ragged: Lookups of other features.
    """

    plain: list[_Lookup]
    ragged: list[RaggedLookup]


class JointLookups:
    """Looks up features, all those of a joint table at once.

    Those that have one id in every row and no weights are one lookup, the others are another.

    Args:
        tables: Table of each feature.
        poolings: How the embeddings of several ids of a row become one, by feature: "sum" or
            "mean".
    """

    def __init__(self, tables: Mapping[str, EmbeddingTable], poolings: Mapping[str, str]) -> None:
        self._tables = dict(tables)
        self._poolings = dict(poolings)
        self._plans: dict[object, _Plan] = {}

    def __getstate__(self) -> dict[str, Any]:
        # The tables of a copy are not joined.
        return {**vars(self), "_plans": {}}

    def look_up(self, ids: Mapping[str, IdList], joined: JoinedIds | None) -> dict[str, Tensor]:
        """Returns the embeddings `[B, D]` of those features that can be looked up with others.

        Args:
            ids: Ids by the name of the feature.
            joined: Ids of some of these features in one tensor, as the batch has them; None if it
                has none.

        Raises:
            IndexError: An id on the CPU has no row in its table.
        """
        plan = self._plan_of(ids, joined)
        found: dict[str, Tensor] = {}
        for lookup in plan.plain:
            if _can_look_up(lookup.joint):
                self._check(lookup.features, ids)
                values, rows = _rows_of(lookup, ids, joined)
                embeddings = _collected(lookup.joint.rows, rows, values, lookup)
                found |= zip(lookup.features, embeddings, strict=True)
        for ragged in plan.ragged:
            if _can_look_up(ragged.joint) and ragged.is_faster(ids):
                self._check(ragged.features, ids)
                found |= ragged.look_up(ids)
        return found

    def stacked(self, ids: Mapping[str, IdList], joined: JoinedIds | None) -> Tensor | None:
        """Returns the embeddings of all features, `[B, F, D]`; None if not one lookup has them all.

        The arguments are those of `look_up`.
        """
        plan = self._plan_of(ids, joined)
        if plan.ragged or len(plan.plain) != 1:
            return None
        (lookup,) = plan.plain
        if lookup.features != tuple(ids) or not _can_look_up(lookup.joint):
            return None
        self._check(lookup.features, ids)
        values, rows = _rows_of(lookup, ids, joined)
        return _collected_at_once(lookup.joint.rows, rows, values, lookup).transpose(0, 1)

    def _check(self, features: Sequence[str], ids: Mapping[str, IdList]) -> None:
        check_ids((n, ids[n].values, len(self._tables[n].weight)) for n in features)

    def _plan_of(self, ids: Mapping[str, IdList], joined: JoinedIds | None) -> _Plan:
        kinds = tuple(self._kind(name, ids[name]) for name in self._tables)
        key = (kinds, joined.names if joined else (), *(t.joint for t in self._tables.values()))
        if key not in self._plans:
            if len(self._plans) == _MOST_PLANS:
                self._plans.clear()
            self._plans[key] = self._plan(kinds, joined.names if joined else ())
        return self._plans[key]

    def _kind(self, name: str, ids: IdList) -> str:
        if ids.weights is not None:
            return _WEIGHTED
        return _PLAIN if ids.offsets is None else self._poolings[name]

    def _plan(self, kinds: tuple[str, ...], joined: tuple[str, ...]) -> _Plan:
        of_joint: dict[JointTable, dict[str, list[str]]] = {}
        for (name, table), kind in zip(self._tables.items(), kinds, strict=True):
            if table.joint is not None:
                of_joint.setdefault(table.joint, {}).setdefault(kind, []).append(name)
        plan = _Plan([], [])
        for joint, features in of_joint.items():
            if _PLAIN in features:
                plan.plain.append(self._plain(joint, features[_PLAIN], joined))
            averaged, summed, weighted = (
                tuple(features.get(kind, ())) for kind in ("mean", "sum", _WEIGHTED)
            )
            ragged = (*averaged, *summed, *weighted)
            if ragged:
                first_rows = tuple(self._tables[name].first_row for name in ragged)
                plan.ragged.append(RaggedLookup(joint, averaged, summed, weighted, first_rows))
        return plan

    def _plain(self, joint: JointTable, names: list[str], joined: tuple[str, ...]) -> _Lookup:
        tables = tuple(self._tables[name] for name in names)
        device = joint.weight.device
        at: tuple[int, int] | Tensor | None = None
        if set(names) <= set(joined):
            places = [joined.index(name) for name in names]
            at = (places[0], places[0] + len(places))
            if places != list(range(*at)):
                at = _on(device, places)
        first_rows = _on(device, [table.first_row for table in tables])
        return _Lookup(joint, tuple(names), tables, first_rows.unsqueeze(1), at)


def _can_look_up(joint: JointTable) -> bool:
    return joint.rows is not None or not (joint.weight.requires_grad and torch.is_grad_enabled())


def _on(device: torch.device, numbers: list[int]) -> Tensor:
    # A batch that needs a new plan may come at any step, and none waits for the copy.
    return torch.tensor(numbers).to(device, non_blocking=True)


def _rows_of(
    lookup: _Lookup, ids: Mapping[str, IdList], joined: JoinedIds | None
) -> tuple[Tensor, Tensor]:
    """Returns the ids of the features, `[F, B]`, and their rows in the joint table, `[F B]`."""
    if joined is None or lookup.at is None:
        values = torch.stack([ids[name].values for name in lookup.features])
    elif isinstance(lookup.at, Tensor):
        values = joined.values.index_select(0, lookup.at)
    else:
        values = joined.values[lookup.at[0] : lookup.at[1]]
    return values, (values + lookup.first_rows).flatten()


def _embeddings(rows: Tensor, lookup: _Lookup) -> Tensor:
    found = F.embedding(rows, lookup.joint.weight.detach())
    return found.to(row_type(found.dtype))


def _apart(embeddings: Tensor, lookup: _Lookup) -> tuple[Tensor, ...]:
    features = len(lookup.features)
    # No views for autograd: a model may write into the embeddings of one feature.
    return embeddings.unsafe_split_with_sizes([len(embeddings) // features] * features)


def _together(embeddings: Tensor, lookup: _Lookup) -> Tensor:
    features = len(lookup.features)
    return embeddings.view(features, len(embeddings) // features, embeddings.shape[1])


def _collect(
    rows: Tensor, values: Tensor, lookup: _Lookup, gradients: Sequence[Tensor | None]
) -> None:
    """Adds the gradients of embeddings, `[B, D]` of each feature, to those of the rows."""
    of_rows = lookup.joint.rows
    assert of_rows is not None
    there = [gradient for gradient in gradients if gradient is not None]
    # Embeddings that no loss depends on have no gradient, and their rows do not move.
    if _is_large(of_rows, sum(one.nbytes for one in there)) or len(there) < len(gradients):
        for table, ids, gradient in zip(lookup.tables, values, gradients, strict=True):
            if gradient is not None:
                assert table.rows is not None
                table.rows.add(ids, table.rows.clipped(gradient).contiguous())
    else:
        of_rows.add(rows, of_rows.clipped(torch.cat(there)))


def _is_large(of_rows: RowGradients, nbytes: int) -> bool:
    """Returns whether gradients of so many bytes are added table by table, as the CPU does it.

    The cache holds the gradients of one table and of its ids, not of all. For 26 tables of 10,000
    rows of 16 numbers and 4,096 ids each, this takes 1.4 ms on one thread, all at once 5.
    """
    table = of_rows.table
    return table.is_cpu and max(nbytes, table.nbytes) > _CACHED_BYTES


class _Collected(torch.autograd.Function):
    """Embeddings of several features, whose gradients go to `RowGradients`."""

    @staticmethod
    def forward(
        ctx: Any, anchor: Tensor, rows: Tensor, values: Tensor, lookup: _Lookup
    ) -> tuple[Tensor, ...]:
        """Returns the embeddings of each feature, `[B, D]`."""
        ctx.rows, ctx.values, ctx.lookup = rows, values, lookup
        ctx.set_materialize_grads(False)
        return _apart(_embeddings(rows, lookup), lookup)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[None, None, None, None]:
        """Adds the gradients to those of the rows; there is none for the arguments."""
        _collect(ctx.rows, ctx.values, ctx.lookup, gradients)
        return None, None, None, None


class _CollectedAtOnce(torch.autograd.Function):
    """The same embeddings as one tensor: a quarter of a step less of calls on the host."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, rows: Tensor, values: Tensor, lookup: _Lookup) -> Tensor:
        """Returns the embeddings of all features, `[F, B, D]`."""
        ctx.rows, ctx.values, ctx.lookup = rows, values, lookup
        return _together(_embeddings(rows, lookup), lookup)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, None, None]:
        """Adds the gradient to that of the rows; there is none for the arguments."""
        lookup, of_rows = ctx.lookup, ctx.lookup.joint.rows
        if _is_large(of_rows, gradients[0].nbytes):
            _collect(ctx.rows, ctx.values, lookup, gradients[0].unbind())
        else:
            of_rows.add(ctx.rows, of_rows.clipped(gradients[0].flatten(0, 1)))
        return None, None, None, None


def _collected(
    of_rows: RowGradients | None, rows: Tensor, values: Tensor, lookup: _Lookup
) -> tuple[Tensor, ...]:
    if of_rows is None or not torch.is_grad_enabled():
        return _apart(_embeddings(rows, lookup), lookup)
    return _apply(of_rows.anchor, rows, values, lookup)


def _collected_at_once(
    of_rows: RowGradients | None, rows: Tensor, values: Tensor, lookup: _Lookup
) -> Tensor:
    if of_rows is None or not torch.is_grad_enabled():
        return _together(_embeddings(rows, lookup), lookup)
    return _apply_at_once(of_rows.anchor, rows, values, lookup)


_apply: Callable[[Tensor, Tensor, Tensor, _Lookup], tuple[Tensor, ...]] = _Collected.apply
_apply_at_once: Callable[[Tensor, Tensor, Tensor, _Lookup], Tensor] = _CollectedAtOnce.apply
