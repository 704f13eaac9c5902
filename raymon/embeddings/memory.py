"""The memory that tables take, and what would make them fit into the memory that there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from raymon.embeddings.collection import EmbeddingCollection
from raymon.embeddings.data_types import DATA_TYPES, row_type
from raymon.embeddings.sharded_table import ShardedTable
from raymon.embeddings.table import EmbeddingTable
from raymon.protos.train_pb2 import TrainConfig

ID_BYTES = 24
"""Bytes of a row of a table that grows: its id, how often it was seen, and when last."""

_INDEX_BYTES = 16
"""Bytes of a row in the sorted list by which rows are found."""

_NAMED = 3
"""Tables that a message names, the largest first."""


@dataclass(frozen=True)
class TableShape:
    """What the memory of a table depends on.

    Attributes:
        table: Path of the table in the model.
        rows: Number of rows.
        dim: Length of an embedding.
        data_type: Type in which the rows are kept, such as "FP16".
        trainable: Whether the table is trained.
        grows: Whether raw ids get rows of their own.
        shardable: Whether workers can hold a part each.
    """

    table: str
    rows: int
    dim: int
    data_type: str = "FP32"
    trainable: bool = True
    grows: bool = False
    shardable: bool = False


@dataclass(frozen=True)
class StateNumbers:
    """The numbers that an optimizer keeps of a table, in float32.

    Attributes:
        per_number: Numbers for each number of the table.
        per_row: Numbers for each row.
    """

    per_number: int = 0
    per_row: int = 0


@dataclass(frozen=True)
class TableMemory:
    """The bytes that one worker needs for a table.

    Attributes:
        table: Path of the table in the model.
        rows: Bytes of the rows that it holds.
        states: Bytes of their optimizer states.
        gradients: Bytes of a gradient with all rows, where there is one.
        ids: Bytes of the ids of rows, of a table that grows.
        staging: Bytes of the copy of its part that is made for a save.
    """

    table: str
    rows: int
    states: int = 0
    gradients: int = 0
    ids: int = 0
    staging: int = 0

    @property
    def total(self) -> int:
        """All bytes."""
        return self.rows + self.states + self.gradients + self.ids + self.staging


@dataclass(frozen=True)
class Capacity:
    """The memory that a worker may take.

    Attributes:
        bytes: Its size.
        what: What it is a part of, such as "24.0 GB of memory for 2 workers".
    """

    bytes: int
    what: str


_SPARSE = {
    "sgd_optimizer": StateNumbers(),
    "adagrad_optimizer": StateNumbers(per_number=1),
    "rowwise_adagrad_optimizer": StateNumbers(per_row=1),
    "adam_optimizer": StateNumbers(per_number=2),
    "partial_rowwise_adam_optimizer": StateNumbers(per_number=1, per_row=1),
    "lamb_optimizer": StateNumbers(per_number=2),
    "partial_rowwise_lamb_optimizer": StateNumbers(per_number=1, per_row=1),
    "lars_sgd_optimizer": StateNumbers(per_number=1),
    "ftrl_optimizer": StateNumbers(per_number=2),
}

_DENSE = {
    "sgd_optimizer": 0,
    "adagrad_optimizer": 1,
    "rmsprop_optimizer": 1,
    "adadelta_optimizer": 2,
    "adam_optimizer": 2,
    "adamw_optimizer": 2,
}

ROW_WISE_ADAGRAD = _SPARSE["rowwise_adagrad_optimizer"]
"""What the optimizer with the smallest states, but for SGD, keeps."""


def table_shapes(model: nn.Module) -> list[TableShape]:
    """Returns the tables of a model on any device, in its order.

    Args:
        model: Model; if it was made in the context of `sharded_tables`, it is seen which tables
            can be sharded.
    """
    growing = {
        id(table)
        for module in model.modules()
        if isinstance(module, EmbeddingCollection)
        for _, table in module.growing_tables()
    }
    names = {dtype: name for name, dtype in DATA_TYPES.items()}
    shapes = []
    for path, table in model.named_modules():
        if isinstance(table, ShardedTable):
            spec = table.spec
            rows, dim, kept = spec.num_embeddings, spec.dim, spec.data_type
            grows = spec.growth is not None
            shapes.append(TableShape(path, rows, dim, kept, spec.trainable, grows, shardable=True))
        elif isinstance(table, EmbeddingTable):
            kept = names.get(table.weight.dtype, "FP32")
            rows, dim = table.weight.shape
            grows, trainable = id(table) in growing, table.weight.requires_grad
            shapes.append(TableShape(path, rows, dim, kept, trainable, grows))
    return shapes


def state_numbers(config: TrainConfig) -> StateNumbers:
    """Returns the numbers that the optimizer of the tables keeps of them."""
    if config.HasField("sparse_optimizer"):
        return _SPARSE[str(config.sparse_optimizer.WhichOneof("optimizer"))]
    dense = config.dense_optimizer
    kind = str(dense.WhichOneof("optimizer"))
    if kind == "sgd_optimizer" and dense.sgd_optimizer.momentum > 0:
        return StateNumbers(per_number=1)
    return StateNumbers(per_number=_DENSE[kind])


def table_memory(
    shape: TableShape,
    states: StateNumbers,
    parts: Sequence[tuple[int, int]] | None = None,
    *,
    has_gradient: bool = False,
) -> TableMemory:
    """Returns the bytes of a table on a worker, without the copy for a save.

    Args:
        shape: The table.
        states: Numbers that its optimizer keeps.
        parts: Rows and columns of each part that the worker holds; None if it holds all.
        has_gradient: Whether there is a gradient with all rows.
    """
    held = [(shape.rows, shape.dim)] if parts is None else list(parts)
    rows, numbers = sum(n for n, _ in held), sum(n * d for n, d in held)
    kept = next(dtype for name, dtype in DATA_TYPES.items() if name == shape.data_type)
    size = row_type(kept).itemsize
    of_states = numbers * states.per_number + rows * states.per_row
    return TableMemory(
        shape.table,
        numbers * kept.itemsize,
        size * of_states if shape.trainable else 0,
        # With a mask of the rows.
        size * numbers + rows if shape.trainable and has_gradient else 0,
        # Every worker knows the rows of all ids.
        shape.rows * (ID_BYTES + _INDEX_BYTES) if shape.grows else 0,
    )


def why_not_fit(
    needed: Sequence[TableMemory], process: int, there: Capacity, remedies: Mapping[str, int]
) -> str | None:
    """Returns why tables do not fit into the memory of a worker; None if they do.

    Args:
        needed: What a worker needs of each table.
        process: Bytes that its process takes without tables.
        there: Memory of a worker.
        remedies: Bytes that a worker would need, with the process, by what would be changed.
    """
    total = process + sum(table.total for table in needed)
    if total <= there.bytes:
        return None
    largest = sorted(needed, key=lambda table: -table.total)
    listed = [_described(table) for table in largest[:_NAMED]]
    rest = largest[_NAMED:]
    if rest:
        listed.append(f"{len(rest)} more {size_text(sum(table.total for table in rest))}")
    fitting = [
        f"{remedy} ({size_text(size)} a worker)"
        for remedy, size in remedies.items()
        if size <= there.bytes
    ]
    what = f"it would fit with {' or '.join(fitting)}" if fitting else "give the tables fewer rows"
    return (
        f"a worker needs {size_text(total)} and has {size_text(there.bytes)} ({there.what}): "
        f"{', '.join(listed)}, the process itself {size_text(process)}; {what}"
    )


def size_text(size: int) -> str:
    """Returns bytes as text, such as `1.28 GB` or `640 MB`."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            number = size / factor
            return f"{number:,.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"
    return f"{size} bytes"


def _described(table: TableMemory) -> str:
    parts = {
        "rows": table.rows,
        "optimizer states": table.states,
        "gradient": table.gradients,
        "ids": table.ids,
        "copy for a save": table.staging,
    }
    listed = " + ".join(f"{name} {size_text(size)}" for name, size in parts.items() if size)
    return f"{table.table} {size_text(table.total)} ({listed})"
