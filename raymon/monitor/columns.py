"""Values of the rows of a batch, as a step is given them, as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Column = Tensor | NDArray[Any] | Sequence[float]
"""Values of the rows of a batch; arrays and sequences are copied into a tensor."""

Columns = Column | Mapping[str, Column]
"""Values of the rows, or by name those of several predictions."""


class Rows(NamedTuple):
    """What the metrics of a prediction get of a step.

    Attributes:
        columns: Tensors `[B, ...]`: predictions and targets, or one of them; none if the metrics
            get nothing of this step.
        weights: Sample weights `[B]`, for the metrics that take them; None if there are none.
        size: Number of rows B.
    """

    columns: tuple[Tensor, ...]
    weights: Tensor | None
    size: int


def column(name: str, value: Columns) -> Tensor:
    """Returns values as a tensor, without waiting for a device.

    Args:
        name: What they are, for messages.
        value: The values.

    Raises:
        TypeError: They are no numbers.
    """
    if isinstance(value, Tensor):
        # It costs as much as a copy of some thousand rows, and most have none.
        return value.detach() if value.requires_grad else value
    wrong = f"{name} is a {type(value).__name__}; give a tensor [B], an array or a list of numbers"
    is_listed = isinstance(value, list | tuple) and not any(isinstance(v, Tensor) for v in value)
    if not is_listed and not hasattr(value, "__array__"):
        raise TypeError(wrong)
    try:
        numbers = np.asarray(value)
    except ValueError:  # rows of several lengths
        raise TypeError(wrong) from None
    if numbers.dtype.kind not in "biuf":
        raise TypeError(wrong)
    # A copy, as later writes to an array cannot be detected.
    return torch.tensor(numbers)


def is_named(value: Columns | None) -> TypeGuard[Mapping[str, Column]]:
    """Returns whether columns are given by name."""
    # To ask whether a tensor is a mapping takes long.
    return value is not None and not isinstance(value, Tensor) and isinstance(value, Mapping)


def row_count(tensor: Tensor) -> int:
    """Returns the number of rows of a tensor."""
    return tensor.shape[0] if tensor.ndim else 1


def device_of(*given: object) -> torch.device:
    """Returns the device of the first tensor, given as it is or by name; the CPU if there is none.

    Args:
        given: Arguments of a step, of any type.
    """
    for value in given:
        if isinstance(value, Tensor):
            return value.device
        for each in value.values() if isinstance(value, Mapping) else (value,):
            if isinstance(each, Tensor):
                return each.device
    return torch.device("cpu")
