"""Embedding tables as an export stores them: in parts, and in fewer bits if asked to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from raymon.data import IdList
from raymon.embeddings import EmbeddingCollection, EmbeddingTable, look_up, row_type
from raymon.errors import RunError
from raymon.protos.export_pb2 import TableFormat

_LARGEST_INT8 = 127

_SMALLEST_SCALE = torch.finfo(torch.float32).tiny
"""Smallest scale, that of a row of zeros; with a smaller one, numbers would lose precision."""

_TAKEN = {"INT8": "finite numbers", "FP16": "numbers from -65504 to 65504"}
"""Numbers that a format can hold."""

_CHUNK = 1 << 22
"""Numbers that are quantized at a time: in float64 they take 32 MB."""


@dataclass(frozen=True)
class TableInfo:
    """A table of an export.

    Attributes:
        name: Path of the table in the model.
        rows: Number of rows.
        dim: Length of an embedding.
        format: Format of its numbers, such as "FP32" or "INT8".
        parts: Number of tensors that its rows are split into.
        bytes: Size in bytes, with the scales of the rows.
        ids: Ids that have a row of their own, in a table that grows; None in another.
    """

    name: str
    rows: int
    dim: int
    format: str
    parts: int
    bytes: int
    ids: int | None = None


class _Part(nn.Module):
    """Consecutive rows of a table.

    Args:
        weight: Numbers as they are stored, `[n, dim]`.
        scale: Factor of the numbers of each row, float32 `[n]`; None for 1.
        dtype: Type of the numbers as the model uses them.
    """

    def __init__(self, weight: Tensor, scale: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self._dtype = dtype

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the embeddings of ids, `[N, dim]`; only their rows are read and converted."""
        rows = self.get_buffer("weight").index_select(0, ids)
        if self.scale is not None:
            rows = rows * self.get_buffer("scale").index_select(0, ids).unsqueeze(1)
        return rows.to(self._dtype)

    def __len__(self) -> int:
        return len(self.get_buffer("weight"))


class StoredTable(nn.Module):
    """A table whose rows are split into parts or quantized; it pools as `EmbeddingTable` does.

    Args:
        parts: Parts in the order of their rows.
    """

    def __init__(self, parts: Sequence[_Part]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self._sizes = [len(part) for part in parts]

    @property
    def weight(self) -> Tensor:
        """The whole table as the model uses it, `[N, dim]`, computed at each access."""
        whole = [
            part(torch.arange(size)) for part, size in zip(self.parts, self._sizes, strict=True)
        ]
        return torch.cat(whole)

    def forward(self, ids: IdList, pooling: str) -> Tensor:
        """Returns the pooled embeddings `[B, dim]` of B rows; zero for a row without ids."""
        rows = self._rows(ids.values)
        if ids.offsets is None and ids.weights is None:
            return rows
        # The same sums in the same order as over the table itself.
        each = torch.arange(ids.values.shape[0])
        return look_up(rows, IdList(each, ids.offsets, ids.weights), pooling)

    def _rows(self, ids: Tensor) -> Tensor:
        if len(self.parts) == 1:
            only: Tensor = self.parts[0](ids)
            return only
        rows: Tensor = self.parts[0](ids.clamp(max=self._sizes[0] - 1))
        first = self._sizes[0]
        for part, size in zip(self.parts[1:], self._sizes[1:], strict=True):
            # Ids of other parts read the first or the last row here, which `where` discards.
            own = part((ids - first).clamp(0, size - 1))
            rows = torch.where((ids >= first).unsqueeze(1), own, rows)
            first += size
        return rows


def store_tables(
    model: nn.Module, quantize: TableFormat | None, part_bytes: int
) -> list[TableInfo]:
    """Replaces the tables of a model by those that an export stores.

    Tables do not grow any more; the rows of their ids are exported in the order of the ids.

    Tables that are not quantized stay as they are if they fit into a part; else they are split, in
    the same memory. Tables are quantized one after the other, and each is freed afterwards.

    Args:
        model: Model on the CPU, which is changed.
        quantize: Format of the tables; None for the one that they have.
        part_bytes: Largest size of a part of a table, in bytes.

    Returns:
        The tables, in the order of the model.

    Raises:
        RunError: A table has a number that the format cannot hold.
    """
    paths = [
        path
        for path, module in model.named_modules(remove_duplicate=False)
        # Not subclasses, which may look up in another way.
        if type(module) is EmbeddingTable
    ]
    ids = {
        f"{path}.tables.{key}": count
        for path, module in model.named_modules(remove_duplicate=False)
        if isinstance(module, EmbeddingCollection)
        for key, count in module.freeze_ids().items()
    }
    stored: dict[nn.Module, nn.Module] = {}
    infos = []
    for path in paths:
        table = model.get_submodule(path)
        assert isinstance(table, EmbeddingTable)
        if table not in stored:
            stored[table], info = _stored(path, table, quantize, part_bytes)
            infos.append(replace(info, ids=ids.get(path)))
        model.set_submodule(path, stored[table])
    return infos


def _stored(
    path: str, table: EmbeddingTable, quantize: TableFormat | None, part_bytes: int
) -> tuple[nn.Module, TableInfo]:
    weight = table.weight.detach()
    rows, dim = weight.shape
    if quantize is None:
        row_bytes, name = dim * weight.element_size(), _format_name(weight.dtype)
    elif quantize == TableFormat.FP16:
        row_bytes, name = 2 * dim, "FP16"
    else:
        row_bytes, name = dim + 4, "INT8"
    size = min(rows, max(1, part_bytes // row_bytes))
    starts = range(0, rows, size)
    info = TableInfo(path, rows, dim, name, len(starts), rows * row_bytes)
    if quantize is None and len(starts) == 1:
        return table, info
    parts = []
    for start in starts:
        own = weight[start : start + size]
        if quantize is None:
            parts.append(_Part(own, None, row_type(weight.dtype)))
        else:
            try:
                parts.append(_quantized(own, quantize))
            except _CannotHoldError as error:
                raise RunError(
                    f"{path}: row {start + error.row} has {error.number:g}; "
                    f"export_config.quantize_tables: {name} takes {_TAKEN[name]}"
                ) from None
    return StoredTable(parts), info


def _format_name(dtype: torch.dtype) -> str:
    names = {torch.float32: "FP32", torch.float16: "FP16", torch.bfloat16: "BF16"}
    return names.get(dtype, str(dtype).removeprefix("torch."))


class _CannotHoldError(Exception):
    """A number that a format cannot hold, and the index of its row."""

    def __init__(self, row: int, number: float) -> None:
        super().__init__(row, number)
        self.row, self.number = row, number


def _quantized(rows: Tensor, quantize: TableFormat) -> _Part:
    if quantize == TableFormat.FP16:
        half = rows.half()
        for start, chunk in _chunks(half):
            _check_finite(chunk, rows[start : start + len(chunk)], start)
        return _Part(half, None, row_type(rows.dtype))
    codes = torch.empty(rows.shape, dtype=torch.int8)
    scales = torch.empty(len(rows))
    for start, chunk in _chunks(rows):
        _check_finite(chunk, chunk, start)
        own = slice(start, start + len(chunk))
        codes[own], scales[own] = quantized_rows(chunk)
    return _Part(codes, scales, row_type(rows.dtype))


def quantized_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Returns rows in INT8: each number as a multiple of the scale of its row.

    The scale is the largest magnitude of the row / 127, so a number is off by at most half of it.

    Args:
        rows: Finite numbers, `[n, dim]`.

    Returns:
        The multiples from -127 to 127, int8 `[n, dim]`, and the scales, float32 `[n]`.
    """
    largest = rows.abs().amax(1).float()
    scales = (largest / _LARGEST_INT8).clamp_min(_SMALLEST_SCALE)
    # In float64, as a quotient rounded to float32 may round to the other neighbour.
    codes = (rows.double() / scales.double().unsqueeze(1)).round_()
    return codes.clamp_(-_LARGEST_INT8, _LARGEST_INT8).to(torch.int8), scales


def _chunks(rows: Tensor) -> Iterator[tuple[int, Tensor]]:
    size = max(1, _CHUNK // rows.shape[1])
    for start in range(0, len(rows), size):
        yield start, rows[start : start + size]


def _check_finite(stored: Tensor, original: Tensor, start: int) -> None:
    wrong = ~stored.isfinite()
    if wrong.any():
        row, column = (int(index) for index in wrong.nonzero()[0])
        raise _CannotHoldError(start + row, float(original[row, column]))
