"""The types in which tables are kept, and in which the model and the optimizers see their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

DATA_TYPES: Mapping[Literal["FP32", "FP16", "BF16"], torch.dtype] = {
    "FP32": torch.float32,
    "FP16": torch.float16,
    "BF16": torch.bfloat16,
}
"""Types of tables by their names in a config."""


def row_type(kept: torch.dtype) -> torch.dtype:
    """Returns the type of rows, gradients and states of a table: at least float32."""
    return torch.promote_types(kept, torch.float32)


def gradient_owner(table: Tensor) -> Tensor:
    """Returns the tensor whose `grad` is the gradient of a table, in the type of its rows.

    It is the table itself, unless that is kept in 16 bits: a `grad` has the type of its tensor, so
    another tensor of this shape has it then, which takes no memory.

    Args:
        table: Table, `[N, D]`.
    """
    of_rows = row_type(table.dtype)
    if of_rows == table.dtype:
        return table
    single = torch.zeros((), dtype=of_rows, device=table.device)
    return single.expand(table.shape).requires_grad_()
