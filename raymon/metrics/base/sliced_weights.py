"""Tables of summed weights of any size, whose sums do not depend on the order of adding.

A weight is cut into slices of 32 bits at fixed places, and each slice is summed as an integer: in
the table itself the one that begins at 2^-WEIGHT_BITS, which has all of a weight such as 1, 0.5 or
3.25, and in a table beside it the one above and the two below. So weights from 1e-18 to 1e13 keep
24 bits or more, and a cell has room for 2^31 rows.
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
"""A weight of a table is 0 or in between, else it is invalid."""

_SLICE = 2.0**32
_BESIDE = (2.0**12, 2.0**-52, 2.0**-84)
_TO_UNITS = tuple(unit * (1 << WEIGHT_BITS) for unit in _BESIDE)


def add_table(metric: Metric, name: str, shape: tuple[int, ...], *, filled: bool = True) -> None:
    """Gives a metric the states of a table, int64: `{name}`, and `{name}_slices` beside it.

    The latter takes no memory until there are weights.

    Args:
        metric: it gets them.
        name: of the table.
        shape: of the table.
        filled: whether rows are added from the first; else `{name}` takes no memory either, and
            is to be replaced by a copy before.
    """
    if filled:
        metric.add_state(name, torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")
    else:
        _add_nothing(metric, name, shape)
    _add_nothing(metric, f"{name}_slices", (len(_BESIDE), *shape))


def _add_nothing(metric: Metric, name: str, shape: tuple[int, ...]) -> None:
    # `add_state` would make zeros of it that take memory.
    nothing = torch.zeros((), dtype=torch.int64).expand(shape)
    setattr(metric, name, nothing)
    metric._defaults[name] = nothing
    metric._persistent[name] = False
    metric._reductions[name] = dim_zero_sum


def add_to_table(
    metric: object, name: str, index: Tensor, weights: Tensor | None, preds: Tensor
) -> None:
    """Adds the weights of rows to cells of a table.

    Args:
        metric: whose table it is.
        name: of the table.
        index: int `[B]`, or `[B, C]`, the cells of each row in the flat table.
        weights: float `[B]`; None where every row weighs 1.
        preds: `[B, ...]`, something of the same rows.
    """
    table: Tensor = getattr(metric, name)
    if weights is None:
        _add(table, index, units_of_one(preds))
        return
    beside: Tensor = getattr(metric, f"{name}_slices")
    if is_nothing(beside):
        beside = torch.zeros(beside.shape, dtype=torch.int64, device=beside.device)
        setattr(metric, f"{name}_slices", beside)
    # What is larger is invalid, and would overflow.
    rest = valid_weights(weights).clamp(max=LARGEST)
    # Quotients by powers of 2 and remainders are exact.
    above = (rest / _BESIDE[0]).floor()
    _add(beside[0], index, above.long())
    rest = (rest - above * _BESIDE[0]) * (1 << WEIGHT_BITS)
    for cells in (table, beside[1]):
        units = rest.floor()
        _add(cells, index, units.long())
        rest = (rest - units) * _SLICE
    _add(beside[2], index, rest.round().long())


def no_place(weights: Tensor) -> Tensor:
    """How many weights `[B]` are valid elsewhere and not in a table: int64 scalar."""
    return bad_weights(valid_weights(weights), SMALLEST, LARGEST)


def table_of(metric: Metric, name: str) -> Tensor:
    """The weights in a table of a metric, as `joined_slices`."""
    return joined_slices(getattr(metric, name), getattr(metric, f"{name}_slices"))


def joined_slices(table: Tensor, beside: Tensor) -> Tensor:
    """The weights in a table, in units of 2^-WEIGHT_BITS: int64, or float64 where rows had any."""
    if is_nothing(beside):
        return table
    total = table.double()
    for cells, units in zip(beside, _TO_UNITS, strict=True):
        total = total + cells.double() * units
    return total


def _add(cells: Tensor, index: Tensor, units: Tensor) -> None:
    if index.dim() == 2:
        units = units.unsqueeze(1).expand(-1, index.shape[1]).reshape(-1)
    cells.view(-1).index_add_(0, index.reshape(-1), units)


def nothing_like(state: Tensor) -> Tensor:
    """What stands for zeros of the shape of a state, and takes no memory."""
    return torch.zeros((), dtype=torch.int64, device=state.device).expand(state.shape)


def replaceable(beside: Tensor) -> Tensor:
    """A copy, but of what stands for zeros alone, which is not added to in place."""
    return beside if is_nothing(beside) else beside.clone()


def is_nothing(state: Tensor) -> bool:
    """Whether a state stands for zeros alone, which is known without waiting for a device."""
    return state.dim() > 0 and not any(state.stride())
