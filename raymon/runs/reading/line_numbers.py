"""The numbers of JSON lines, as columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json

from raymon.runs.columns import LONGEST_NAME, MOST_COLUMNS, Column, columns_of_rows, numbers_in
from raymon.runs.reading.arrow_values import float_values, indices, list_offsets, validity

_FEW = 8
"""Lines below which Arrow takes longer than Python."""


@dataclass(frozen=True)
class LineNumbers:
    """The numbers of lines.

    Attributes:
        columns: Columns `[R]` by name, NaN where a line has no such number.
        rows: Number of lines that are objects, R.
        others: Places of the lines that are none, in ascending order.
    """

    columns: Mapping[str, Column]
    rows: int
    others: tuple[int, ...] = ()


def numbers_of_lines(data: bytes, count: int) -> LineNumbers:
    """Returns the numbers of lines, flattened as by `Columns.of_lines`.

    Arrow parses them, in a quarter of the time of Python's parser and without its lock; it does so
    all or none. So lines among which one is damaged, or has a text where another has a number, are
    parsed one by one.

    Args:
        data: Lines, each with its newline.
        count: Number of lines.
    """
    if count >= _FEW:
        table = arrow_table(data)
        if table is not None and table.num_rows == count:
            return LineNumbers(_of_table(table), count)
    return _one_by_one(data)


def parsed_line(line: bytes) -> dict[str, Any] | None:
    """Returns the object of a line; None if it is none."""
    try:
        found = json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def arrow_table(data: bytes) -> Any:
    """Returns the Arrow table of lines; None if one of them is damaged, or of another kind."""
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    try:
        return arrow_json.read_json(pa.BufferReader(data), read_options=options)
    except (pa.ArrowException, UnicodeDecodeError, OverflowError):
        return None


def _of_table(table: Any) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        _add(columns, name, column.combine_chunks(), None, table.num_rows)
    return columns


def _add(columns: dict[str, Column], name: str, array: Any, places: Any, rows: int) -> None:
    """Adds the numbers of an Arrow array.

    Args:
        columns: Columns by name.
        name: Name of the array.
        array: Array, of as many values as there are `places`.
        places: Rows of its values; None for all.
        rows: Number of rows.
    """
    if len(columns) >= MOST_COLUMNS or len(name) > LONGEST_NAME:
        return
    if pa.types.is_struct(array.type):
        fields = [array.type.field(i).name for i in range(array.type.num_fields)]
        for field, inner in zip(fields, array.flatten(), strict=True):
            _add(columns, f"{name}.{field}", inner, places, rows)
    elif pa.types.is_list(array.type):
        begins = list_offsets(array)
        lengths = np.where(validity(array), np.diff(begins), 0)
        mine = np.arange(len(array)) if places is None else places
        for index in range(min(int(lengths.max(initial=0)), MOST_COLUMNS)):
            has = lengths > index
            inner = array.values.take(indices(begins[:-1][has] + index))
            _add(columns, f"{name}.{index}", inner, mine[has], rows)
    elif (
        pa.types.is_integer(array.type)
        or pa.types.is_floating(array.type)
        or (pa.types.is_boolean(array.type))
    ):
        values = float_values(array)
        finite = np.isfinite(values)
        if finite.any():
            column = np.full(rows, np.nan)
            column[finite if places is None else places[finite]] = values[finite]
            columns[name] = column


def _one_by_one(data: bytes) -> LineNumbers:
    rows, others = [], []
    for place, line in enumerate(data.split(b"\n")[:-1]):
        record = parsed_line(line)
        if record is None:
            others.append(place)
        else:
            rows.append(dict(numbers_in(record)))
    return LineNumbers(columns_of_rows(rows), len(rows), tuple(others))
