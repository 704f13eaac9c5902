"""Who holds which table: what a person sees of it, and what is kept of it in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raymon.embeddings.memory import StateNumbers, TableShape, size_text, table_memory

REPLICATED = "replicated"
"""The sharding of a table whose rows are all on every rank."""

_SHOWN = 10
"""Tables that are shown, the largest first."""

_HEADER = ("table", "rows", "dim", "type", "sharding", "kernel", "ranks", "a rank")
_RIGHT = (1, 2, 7)


@dataclass(frozen=True)
class TablePlan:
    """Where a table is held.

    Attributes:
        table: Path of the table in the model.
        rows: Number of rows.
        dim: Length of an embedding.
        data_type: Type in which the rows are kept, such as "FP16".
        sharding: How the table is divided: "replicated", or a sharding type of TorchRec.
        kernel: What looks up and updates rows: "torch", or a compute kernel of TorchRec.
        ranks: Ranks that hold rows.
        bytes_a_rank: Bytes of rows and optimizer states on the rank that holds most of them.
    """

    table: str
    rows: int
    dim: int
    data_type: str
    sharding: str
    kernel: str
    ranks: tuple[int, ...]
    bytes_a_rank: int

    @classmethod
    def of(
        cls,
        shape: TableShape,
        states: StateNumbers,
        parts: Mapping[int, Sequence[tuple[int, int]]],
        sharding: str,
        kernel: str,
    ) -> TablePlan:
        """Returns the plan of a table.

        Args:
            shape: The table.
            states: Numbers that its optimizer keeps.
            parts: Rows and columns of each part that a rank holds, by rank.
            sharding: How the table is divided.
            kernel: What looks up and updates rows.
        """
        held = [table_memory(shape, states, of_rank) for of_rank in parts.values()]
        most = max((each.rows + each.states + each.ids for each in held), default=0)
        ranks = tuple(sorted(parts))
        return cls(
            shape.table, shape.rows, shape.dim, shape.data_type, sharding, kernel, ranks, most
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the plan as it is written to files."""
        return {**vars(self), "ranks": list(self.ranks)}


def replicated_plan(
    shapes: Sequence[TableShape], states: StateNumbers, world_size: int
) -> list[TablePlan]:
    """Returns the plan of tables that every rank holds whole."""
    return [
        TablePlan.of(
            shape,
            states,
            {rank: [(shape.rows, shape.dim)] for rank in range(world_size)},
            REPLICATED,
            "torch",
        )
        for shape in shapes
    ]


def plan_lines(plans: Sequence[TablePlan], world_size: int) -> list[str]:
    """Returns plans as the lines of a table: the ten largest, and a sum; empty without tables."""
    if not plans:
        return []
    largest = sorted(plans, key=lambda plan: -plan.bytes_a_rank)[:_SHOWN]
    rows = [_cells(plan, world_size) for plan in largest]
    left_out = len(plans) - len(largest)
    held = [
        sum(plan.bytes_a_rank for plan in plans if rank in plan.ranks) for rank in range(world_size)
    ]
    total = [f"{len(plans)} tables" + (f", {left_out} not shown" if left_out else "")]
    total += [
        f"{sum(plan.rows for plan in plans):,}",
        *[""] * 5,
        size_text(max(held, default=0)),
    ]
    table = [list(_HEADER), *rows, total]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADER))]
    return [
        "  ".join(
            cell.rjust(width) if column in _RIGHT else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def _cells(plan: TablePlan, world_size: int) -> list[str]:
    return [
        plan.table,
        f"{plan.rows:,}",
        str(plan.dim),
        plan.data_type,
        plan.sharding,
        plan.kernel,
        _ranks(plan.ranks, world_size),
        size_text(plan.bytes_a_rank),
    ]


def _ranks(ranks: Sequence[int], world_size: int) -> str:
    if len(ranks) == world_size:
        return "all" if world_size > 1 else "0"
    return ",".join(map(str, ranks[:4])) + (f",... ({len(ranks)})" if len(ranks) > 4 else "")
