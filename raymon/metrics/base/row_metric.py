"""Metrics that store their rows until the value is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from raymon.metrics.base.checked_metric import CheckedMetric
from raymon.metrics.base.weight_tables import replaceable
from raymon.metrics.numerics.fixed_point import bad_weights, relative_units, valid_weights

ROWS = ("preds", "target", "weights")
"""The states of RowMetric."""


@dataclass(frozen=True)
class Rows:
    """Rows, on one device.

    Attributes:
        preds: Scores, float32 or float64 `[N]`, or `[N, C]`.
        target: Labels, float32 or float64 `[N]`.
        weights: Valid weights, float64 `[N]`; None if every row weighs 1.
    """

    preds: Tensor
    target: Tensor
    weights: Tensor | None

    def units(self) -> Tensor | None:
        """Returns weights as integers: int64 `[N]`; None if all are equal. Waits for the device.

        These must be the rows of all ranks, as `relative_units` says.
        """
        weights = self.distinct_weights()
        return None if weights is None else relative_units(weights)

    def distinct_weights(self) -> Tensor | None:
        """Returns the weights, float64 `[N]`; None if all are equal. Waits for the device."""
        if self.weights is None:
            return None
        equal = (self.weights == self.weights[:1]) & (self.weights > 0)
        return None if bool(equal.all()) else self.weights

    def form(self) -> Tensor:
        """Returns the form in which these rows have to be sent, so that nothing is lost.

        Returns:
            int64 `[3]`: 1 if scores are float64, if labels are float64, and if there are weights.
        """
        needs = [self.preds.dtype == torch.float64, self.target.dtype == torch.float64]
        needs.append(self.weights is not None)
        return torch.tensor(needs, dtype=torch.int64, device=self.preds.device)

    def in_form(self, form: Tensor) -> Rows:
        """Returns the same rows with the types and columns of `form`, which covers their own."""
        wide_preds, wide_target, weighted = form.tolist()
        return Rows(
            self.preds.double() if wide_preds else self.preds,
            self.target.double() if wide_target else self.target,
            ones(self.preds) if weighted and self.weights is None else self.weights,
        )


class RowMetric(CheckedMetric):
    """Base of metrics whose value needs every row.

    States, lists with one tensor an update: `preds` and `target`, float64 if they were given so and
    else float32; `weights`, float64, 0 for each that is invalid. Without weights they take 8 bytes
    a row, with weights 16. `invalid` counts the weights alone; what else is wrong with the rows is
    counted when the value is computed.

    A subclass calls `keep` in `update`, and `rows` in `_compute`, which leaves the counts in
    `found`.

    Args:
        kwargs: Arguments of every torchmetrics metric.
    """

    is_differentiable = False
    preds: list[Tensor]
    target: list[Tensor]
    weights: list[Tensor]
    found: Tensor
    """Counts as in `invalid`, of all that was wrong with the rows of the value computed last."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ROWS:
            self.add_state(name, [], dist_reduce_fx="cat")

    def keep(self, preds: Tensor, target: Tensor, weights: Tensor | None) -> None:
        """Adds rows whose shapes were checked.

        Args:
            preds: Scores, float `[B]`.
            target: Labels `[B]`.
            weights: Sample weights, float `[B]`, or None.
        """
        self.preds.append(of_its_own(as_real(preds)))
        self.target.append(of_its_own(as_real(target)))
        if weights is None:
            self.weights.append(ones(preds))
        else:
            self.weights.append(valid_weights(weights))
            bad = bad_weights(weights)
            none = torch.zeros_like(bad)
            self.invalid += torch.stack([none, none, none, bad])

    def rows(self) -> Rows:
        """Returns the rows of all updates, on the device of the states. Waits for the device."""
        return Rows(
            joined(as_list(self.preds), self.device),
            joined(as_list(self.target), self.device),
            joined(as_list(self.weights), self.device) if self.is_weighted() else None,
        )

    def is_weighted(self) -> bool:
        """Whether any row does not weigh 1. Waits for the device."""
        # A tensor of equal weights stores one element, whatever the number of rows.
        parts = as_list(self.weights)
        distinct = [part[:1] if part.stride() == (0,) else part for part in parts]
        return bool((joined(distinct, self.device) != 1).any())

    def _found(self) -> Tensor:
        return self.found

    def _copy_state_dict(self) -> dict[str, Any]:
        # torchmetrics would copy every row before it gathers; rows do not change.
        return {
            name: replaceable(state) if isinstance(state, Tensor) else list(state)
            for name, state in self.metric_state.items()
        }

    def _sync_dist(
        self,
        dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors,
        process_group: Any = None,
    ) -> None:
        # Tensors that are gathered must have one type, also those of a rank without rows.
        rows = self.rows()
        forms = dist_sync_fn(rows.form(), group=process_group or self.process_group)
        rows = rows.in_form(torch.stack(forms).amax(0))
        weighted = rows.weights is not None
        self.preds, self.target = [rows.preds], [rows.target]
        self.weights = [ones(rows.preds) if rows.weights is None else rows.weights]
        if not weighted:
            self.weights = [self.weights[0][:0]]
        super()._sync_dist(dist_sync_fn, process_group)
        if not weighted:
            self.weights = [ones(joined(as_list(self.preds), self.device))]


def as_list(state: list[Tensor] | Tensor) -> list[Tensor]:
    """Returns the tensors of a list state, which is a single tensor after a gathering."""
    return [state] if isinstance(state, Tensor) else state


def joined(parts: list[Tensor], device: torch.device) -> Tensor:
    """Returns one tensor of all parts, `[N]`; nothing is copied if there is only one."""
    if len(parts) == 1:
        return parts[0]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float32, device=device)


def as_real(column: Tensor) -> Tensor:
    """Returns the column as it is stored: float64 if it has that type, and else float32."""
    column = column.detach()
    return column if column.dtype == torch.float64 else column.float()


def of_its_own(column: Tensor) -> Tensor:
    """Returns a column in memory that holds nothing else, with a copy if need be.

    The columns of a batch lie in one memory: to keep one would keep all of it.
    """
    return column.clone() if column.untyped_storage().nbytes() > column.nbytes else column


def ones(rows: Tensor) -> Tensor:
    """Returns a weight of 1 for each row `[N, ...]`: float64 `[N]`."""
    # One number for all rows. It is filled in on the device: a copy would wait.
    one = torch.full((), 1.0, dtype=torch.float64, device=rows.device)
    return one.expand(len(rows))
