"""Rows that a metric keeps until its value is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from raymon.metrics.checked_metric import CheckedMetric
from raymon.metrics.fixed_point import MAX_WEIGHT, WEIGHT_BITS, weight_units

ONE = 1 << WEIGHT_BITS
"""The units of a row without weight."""


@dataclass(frozen=True)
class Rows:
    """Rows, on one device.

    Attributes:
        preds: float32 or float64 `[N]`, scores.
        target: float32 or float64 `[N]`, labels.
        units: int64 `[N]`, weights in units of 2^-WEIGHT_BITS; None where every row weighs 1.
    """

    preds: Tensor
    target: Tensor
    units: Tensor | None

    def form(self) -> Tensor:
        """What these rows need on their way: int64 `[3]`, 1 for float64 scores, labels, weights."""
        needs = [self.preds.dtype == torch.float64, self.target.dtype == torch.float64]
        needs.append(self.units is not None)
        return torch.tensor(needs, dtype=torch.int64, device=self.preds.device)

    def in_form(self, form: Tensor) -> Rows:
        """The same rows with the types and columns of `form`, which has at least their own."""
        wide_preds, wide_target, weighted = form.tolist()
        return Rows(
            self.preds.double() if wide_preds else self.preds,
            self.target.double() if wide_target else self.target,
            _ones(self.preds) if weighted and self.units is None else self.units,
        )


class KeptRows(CheckedMetric):
    """Base of metrics whose value needs every row.

    States, lists with one tensor an update: `preds` and `target`, float64 where they were given
    so and else float32; `units`, int64, the weights in units of 2^-WEIGHT_BITS. Without weights
    they take 8 bytes a row, with weights 16. `invalid` counts the weights alone; what else is
    wrong with the rows is counted when the value is asked for.

    A subclass calls `keep` in `update`, and `rows` in `_compute`, which leaves the counts in
    `found`.

    Args:
        kwargs: what every torchmetrics metric takes.
    """

    is_differentiable = False
    preds: list[Tensor]
    target: list[Tensor]
    units: list[Tensor]
    found: Tensor
    """Counts as in `invalid`, of all that was wrong with the rows of the value computed last."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("preds", "target", "units"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def keep(self, preds: Tensor, target: Tensor, weights: Tensor | None) -> None:
        """Add rows whose shapes are checked.

        Args:
            preds: float `[B]`, scores.
            target: `[B]`, labels.
            weights: float `[B]`, or None.
        """
        self.preds.append(_as_real(preds))
        self.target.append(_as_real(target))
        if weights is None:
            self.units.append(_ones(preds))
        else:
            self.units.append(weight_units(weights, preds))
            weights = weights.detach().double()
            bad = torch.count_nonzero(weights.clamp(0, MAX_WEIGHT) - weights)
            none = torch.zeros_like(bad)
            self.invalid += torch.stack([none, none, none, bad])

    def rows(self) -> Rows:
        """The rows of all updates, on the device of the states. Waits for the device."""
        units = as_list(self.units)
        # A tensor of equal weights has one element, however many rows it stands for.
        distinct = [part[:1] if part.stride() == (0,) else part for part in units]
        plain = bool((joined(distinct, self.device) == ONE).all())
        return Rows(
            joined(as_list(self.preds), self.device),
            joined(as_list(self.target), self.device),
            None if plain else joined(units, self.device),
        )

    def _found(self) -> Tensor:
        return self.found

    def _copy_state_dict(self) -> dict[str, Any]:
        # torchmetrics would copy every row before it gathers; rows do not change.
        return {
            name: state.clone() if isinstance(state, Tensor) else list(state)
            for name, state in self.metric_state.items()
        }

    def _sync_dist(
        self,
        dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors,
        process_group: Any = None,
    ) -> None:
        # Tensors that are gathered must be of one type, also those of a rank without rows.
        rows = self.rows()
        forms = dist_sync_fn(rows.form(), group=process_group or self.process_group)
        rows = rows.in_form(torch.stack(forms).amax(0))
        weighted = rows.units is not None
        self.preds, self.target = [rows.preds], [rows.target]
        self.units = [_ones(rows.preds) if rows.units is None else rows.units]
        if not weighted:
            self.units = [self.units[0][:0]]
        super()._sync_dist(dist_sync_fn, process_group)
        if not weighted:
            self.units = [_ones(joined(as_list(self.preds), self.device))]


def as_list(state: list[Tensor] | Tensor) -> list[Tensor]:
    """The tensors of a list state; gathered from other ranks, it is one tensor and no list."""
    return [state] if isinstance(state, Tensor) else state


def joined(parts: list[Tensor], device: torch.device) -> Tensor:
    """One tensor of all parts, `[N]`; nothing is copied where there is only one."""
    if len(parts) == 1:
        return parts[0]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float32, device=device)


def _as_real(column: Tensor) -> Tensor:
    column = column.detach()
    return column if column.dtype == torch.float64 else column.float()


def _ones(rows: Tensor) -> Tensor:
    return weight_units(None, rows)
