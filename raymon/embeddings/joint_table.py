"""Rows of several tables in one memory."""

from __future__ import annotations

import torch
from torch import nn

from raymon.embeddings.row_gradients import RowGradients


class JointTable:
    """The memory of tables of one length and one type, one after the other.

    It ends with a spare row that belongs to no table: where a number of rows has to be known before
    the device has counted them, those that are too many are that one.

    Args:
        count: Rows of all tables, N.
        like: A table of them, `[n, D]`.
        device: Device of the memory.

    Attributes:
        weight: All rows, `[N + 1, D]`; arbitrary values at first, except for the spare row.
        rows: Collects the gradient of all rows; None if autograd accumulates it in each table.
    """

    def __init__(self, count: int, like: nn.Parameter, device: torch.device) -> None:
        memory = torch.empty(count + 1, like.shape[1], dtype=like.dtype, device=device)
        memory[count:].zero_()
        self.weight = nn.Parameter(memory, requires_grad=like.requires_grad)
        self.rows: RowGradients | None = None
