"""Which tables are joined in one memory, so that one operation reaches the rows of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from raymon.embeddings.joint_table import JointTable
from raymon.embeddings.table import EmbeddingTable

SMALL = 32_768
"""Largest number of rows of a small table.

A small table has a gradient of all its rows, and a mask of those that were looked up: both cost
less there than to sort the ids does.
"""


def is_small(table: EmbeddingTable) -> bool:
    """Whether a table has a gradient of all its rows."""
    return len(table.weight) <= SMALL


def join_tables(tables: Iterable[EmbeddingTable], device: torch.device | None = None) -> None:
    """Joins tables of one length, type and kind of size; from now on they are views.

    Tables that are joined already stay as they are. On the CPU large tables stay alone: there an
    operation takes no time to launch, and they would be in memory twice meanwhile.

    Args:
        tables: The tables.
        device: Device that they are on afterwards; None for the one that they are on.
    """
    groups: dict[tuple[object, ...], list[EmbeddingTable]] = {}
    for table in tables:
        weight = table.weight
        on = weight.device if device is None else device
        if table.joint is None and (is_small(table) or _joins_large(on)):
            key = (weight.shape[1], weight.dtype, weight.requires_grad, on, is_small(table))
            groups.setdefault(key, []).append(table)
    for alike in groups.values():
        _join(alike, alike[0].weight.device if device is None else device)


def _joins_large(device: torch.device) -> bool:
    return device.type != "cpu"


def _join(tables: Sequence[EmbeddingTable], device: torch.device) -> None:
    first = tables[0].weight
    joint = JointTable(sum(len(table.weight) for table in tables), first, device)
    memory, begin = joint.weight.detach(), 0
    for table in tables:
        part = memory[begin : begin + len(table.weight)]
        part.copy_(table.weight.detach())
        # One after the other, so that only one table is there twice.
        table.weight.data = part
        table.joint, table.first_row = joint, begin
        begin += len(part)
