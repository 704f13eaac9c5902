"""Tables of summed weights of any size, whose sums do not depend on the order of adding.

A weight is cut into slices of 32 bits at fixed places, and each slice is summed as an integer: the
one that begins at 2^-WEIGHT_BITS, which has all of a weight such as 1, 0.5 or 3.25, in the table
itself, and the one above and the two below in a second table. So weights from 1e-18 to 1e13 keep 24
bits or more, and a cell can hold 2^31 rows.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_sum

from raymon.metrics.numerics.fixed_point import (
    WEIGHT_BITS,
    bad_weights,
    units_of_one,
    valid_weights,
)

SMALLEST, LARGEST = 2.0**-84, 2.0**44
"""The range of the weights in a table; any other weight but 0 is invalid."""

_SLICE = 2.0**32
_SLICE_UNITS = (2.0**12, 2.0**-52, 2.0**-84)
_TO_UNITS = tuple(unit * (1 << WEIGHT_BITS) for unit in _SLICE_UNITS)


def add_table(metric: Metric, name: str, shape: tuple[int, ...], *, filled: bool = True) -> None:
    """Gives a metric the int64 states of a table, `{name}` and `{name}_slices`.

    The latter holds the other slices, and takes no memory until there are weights.

    Args:
        metric: Metric that gets the states.
        name: Name of the table.
        shape: Shape of the table.
        filled: Whether rows are added from the first on; else `{name}` takes no memory either, and
            has to be replaced by a copy before rows are added.
    """
    if filled:
        metric.add_state(name, torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")
    else:
        _add_zero_placeholder(metric, name, shape)
    _add_zero_placeholder(metric, f"{name}_slices", (len(_SLICE_UNITS), *shape))


def _add_zero_placeholder(metric: Metric, name: str, shape: tuple[int, ...]) -> None:
    # Not by `add_state`, which would replace the placeholder by zeros that take memory.
    placeholder = torch.zeros((), dtype=torch.int64).expand(shape)
    setattr(metric, name, placeholder)
    metric._defaults[name] = placeholder
    metric._persistent[name] = False
    metric._reductions[name] = dim_zero_sum


def add_to_table(
    metric: object, name: str, index: Tensor, weights: Tensor | None, preds: Tensor
) -> None:
    """Adds the weights of rows to cells of a table.

    Args:
        metric: Metric that has the table.
        name: Name of the table.
        index: Cells of each row in the flat table, int `[B]`, or `[B, C]`.
        weights: Weights of the rows, float `[B]`; None if every row weighs 1.
        preds: Any tensor of the same rows, `[B, ...]`.
    """
    table: Tensor = getattr(metric, name)
    if weights is None:
        _add(table, index, units_of_one(preds))
        return
    slices: Tensor = getattr(metric, f"{name}_slices")
    if is_zero_placeholder(slices):
        slices = torch.zeros(slices.shape, dtype=torch.int64, device=slices.device)
        setattr(metric, f"{name}_slices", slices)
    # Larger weights are invalid, and would overflow.
    rest = valid_weights(weights).clamp(max=LARGEST)
    # Quotients by powers of 2 and remainders are exact.
    above = (rest / _SLICE_UNITS[0]).floor()
    _add(slices[0], index, above.long())
    rest = (rest - above * _SLICE_UNITS[0]) * (1 << WEIGHT_BITS)
    for cells in (table, slices[1]):
        units = rest.floor()
        _add(cells, index, units.long())
        rest = (rest - units) * _SLICE
    _add(slices[2], index, rest.round().long())


def unstorable_weights(weights: Tensor) -> Tensor:
    """Returns how many weights `[B]` are valid elsewhere, but not in a table: int64 scalar."""
    return bad_weights(valid_weights(weights), SMALLEST, LARGEST)


def table_of(metric: Metric, name: str) -> Tensor:
    """Returns the weights in a table of a metric, as `joined_slices` does."""
    return joined_slices(getattr(metric, name), getattr(metric, f"{name}_slices"))


def joined_slices(table: Tensor, slices: Tensor) -> Tensor:
    """Returns the weights in a table, in units of 2^-WEIGHT_BITS.

    They are int64, or float64 if rows had weights.
    """
    if is_zero_placeholder(slices):
        return table
    total = table.double()
    for cells, units in zip(slices, _TO_UNITS, strict=True):
        total = total + cells.double() * units
    return total


def _add(cells: Tensor, index: Tensor, units: Tensor) -> None:
    if index.dim() == 2:
        units = units.unsqueeze(1).expand(-1, index.shape[1]).reshape(-1)
    cells.view(-1).index_add_(0, index.reshape(-1), units)


def zero_placeholder_like(state: Tensor) -> Tensor:
    """Returns what stands for zeros of the shape of a state, and takes no memory."""
    return torch.zeros((), dtype=torch.int64, device=state.device).expand(state.shape)


def replaceable(slices: Tensor) -> Tensor:
    """Returns a copy, except of a placeholder of zeros, which is never added to in place."""
    return slices if is_zero_placeholder(slices) else slices.clone()


def is_zero_placeholder(state: Tensor) -> bool:
    """Whether a state stands for zeros alone, which is known without waiting for a device."""
    return state.dim() > 0 and not any(state.stride())
