"""Converts what a dataset yields to tables of the columns that are needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from raymon.data.reading.check import LIST_TYPES, VALUE_TYPES, check_schema, fitting_type
from raymon.data.reading.converter import Columns
from raymon.data.values.arrow_types import as_array, is_list
from raymon.data.values.canonical import canonical_text, canonical_texts
from raymon.errors import DataError, first_line

FORMS = (
    "tables (pyarrow, pandas, polars), dictionaries of columns, rows as dictionaries, or lists of "
    "rows"
)


class TableMaker:
    """A maker of tables of the columns that are needed.

    Args:
        columns: Columns that are needed.
        name: Name of the dataset, for messages.
        rows: Rows, at least, that are put together into one table, if pieces have fewer.
    """

    def __init__(self, columns: Columns, name: str, rows: int) -> None:
        self._columns = columns
        self._name = name
        self._rows = rows
        self._needed = columns.names
        self._categorical = set(columns.categorical)
        self._types = {name: fitting_type(name, columns, VALUE_TYPES) for name in self._needed}
        self._list_types = {name: fitting_type(name, columns, LIST_TYPES) for name in self._needed}
        self._checked: pa.Schema | None = None

    def nulls(self, rows: int) -> pa.Table:
        """Returns a table of rows in which every column is null."""
        types = {name: self._types[name] or self._list_types[name] for name in self._needed}
        return pa.table({name: pa.nulls(rows, kind) for name, kind in types.items()})

    def tables(
        self, pieces: Iterable[Any], state: Any, snapshot: Callable[[], Any]
    ) -> Iterator[tuple[Any, pa.Table]]:
        """Yields tables, none of them empty.

        Args:
            pieces: Pieces that the dataset yields.
            state: State of the dataset at the beginning.
            snapshot: Function that returns its state, called before the first piece of each later
                table is drawn.

        Returns:
            The state before each table, and the table.

        Raises:
            DataError: A piece is none of `FORMS`, or does not have the columns that are needed.
        """
        waiting: list[Any] = []
        count = 0
        for piece in pieces:
            if isinstance(piece, list | tuple) and not piece:
                continue
            waiting.append(piece if self._is_row(piece) else self._table(piece))
            count += 1 if self._is_row(piece) else len(waiting[-1])
            if count >= self._rows:
                yield state, self._join(waiting)
                state, waiting, count = snapshot(), [], 0
        if count:
            yield state, self._join(waiting)

    def _is_row(self, piece: object) -> bool:
        if not isinstance(piece, Mapping):
            return False
        label = next(iter(self._columns.labels))
        return label in piece and not _is_column(piece[label])

    def _join(self, waiting: Sequence[Any]) -> pa.Table:
        if not any(isinstance(piece, pa.Table) for piece in waiting):
            return self._typed(self._table(list(waiting)))
        tables = [p if isinstance(p, pa.Table) else self._table([p]) for p in waiting]
        tables = self._with_equal_types(tables)
        try:
            return self._typed(pa.concat_tables(tables, promote_options="permissive"))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise DataError(f"{self._name}: {first_line(error)}; types must not change") from None

    def _with_equal_types(self, tables: list[pa.Table]) -> list[pa.Table]:
        """Returns the tables, with texts for values that become ids if their types differ."""
        for name in self._categorical:
            kinds = {table.schema.field(name).type for table in tables}
            if len(kinds) > 1 and not any(map(is_list, kinds)):
                tables = [self._as_texts(table, name) for table in tables]
        return tables

    def _as_texts(self, table: pa.Table, name: str) -> pa.Table:
        try:
            texts = canonical_texts(as_array(table[name]))
        except ValueError as error:
            raise DataError(f"{self._name}: column {name}: value {error}") from None
        return table.set_column(table.column_names.index(name), name, texts)

    def _table(self, piece: Any) -> pa.Table:
        if isinstance(piece, Mapping):
            given = dict(piece)
        elif _is_pandas(piece):
            # Not as a whole: a column that is not needed may hold what Arrow cannot.
            names = [str(name) for name in piece.columns]
            self._check_once(names)
            given = {name: piece.iloc[:, i] for i, name in enumerate(names)}
        elif isinstance(piece, list) and all(isinstance(row, Mapping) for row in piece):
            keys = {name: None for row in piece for name in row}
            given = {name: [_plain(row.get(name)) for row in piece] for name in keys}
        elif hasattr(piece, "__arrow_c_stream__") or hasattr(piece, "__arrow_c_array__"):
            table = self._arrow_table(piece)
            given = {name: table[i] for i, name in enumerate(table.column_names)}
        else:
            raise DataError(f"{self._name}: gave a {type(piece).__name__}; a dataset gives {FORMS}")
        return self._of_columns(given)

    def _arrow_table(self, piece: Any) -> pa.Table:
        try:
            table = pa.table(piece)
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
            kind, why = type(piece).__name__, first_line(error)
            raise DataError(f"{self._name}: gave a {kind} that is no table: {why}") from None
        self._check_once(table.column_names)
        return table

    def _check_once(self, names: Sequence[str]) -> None:
        for name in self._needed:
            if names.count(name) > 1:
                raise DataError(f"{self._name}: has several columns {name}; names must differ")

    def _of_columns(self, given: Mapping[str, Any]) -> pa.Table:
        arrays = {name: self._array(name, given[name]) for name in self._needed if name in given}
        # Columns that are not needed have no type; their names are for messages.
        schema = pa.schema([(name, self._type(name, arrays.get(name))) for name in given])
        if schema != self._checked:
            check_schema(schema, self._name, self._columns)
            self._checked = schema
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise DataError(f"{self._name}: columns of unequal lengths: {listed}")
        return pa.table(arrays)

    def _array(self, name: str, values: Any) -> pa.Array | pa.ChunkedArray:
        try:
            return _arrow(values)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            mixed = _mixed_values(values) if name in self._categorical else None
            if mixed is not None:
                return mixed
            raise DataError(f"{self._name}: column {name}: {first_line(error)}") from None

    def _type(self, name: str, array: pa.Array | pa.ChunkedArray | None) -> pa.DataType:
        """Returns the type of a column; a right one for nulls and empty lists alone."""
        if array is None:
            return pa.null()
        if not _has_open_type(array.type):
            return array.type
        is_list = not pa.types.is_null(array.type)
        return (self._list_types if is_list else self._types)[name] or array.type

    def _typed(self, table: pa.Table) -> pa.Table:
        return table.cast(
            pa.schema([(name, self._type(name, table[name])) for name in self._needed])
        )


def _arrow(values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, torch.Tensor):
        values = list(values.unbind()) if values.is_nested else _plain(values)
    if isinstance(values, np.ndarray) and values.ndim == 2:
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    if isinstance(values, list | tuple):
        values = [_plain(value) for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError):
        # Among strings NaN, and what pandas has for it, is a missing value, not a number.
        return pa.array(values, from_pandas=True)


def _mixed_values(values: Any) -> pa.Array | None:
    """Returns the canonical texts of values of several kinds; None if one of them has none."""
    texts: list[str | None] = []
    for value in values:
        plain = _plain(value)
        if plain is None or type(plain).__name__ in ("NAType", "NaTType"):
            texts.append(None)
        elif isinstance(plain, str | bool | int | np.integer | np.bool_):
            texts.append(canonical_text(str(plain)))
        elif not isinstance(plain, float | np.floating):
            return None
        else:
            real = float(plain)
            if not math.isnan(real) and not (abs(real) < 2**53 and real.is_integer()):
                return None
            texts.append(None if math.isnan(real) else str(int(real)))
    return pa.array(texts, pa.string())


def _is_pandas(piece: Any) -> bool:
    return type(piece).__module__.partition(".")[0] == "pandas" and hasattr(piece, "iloc")


def _has_open_type(column_type: pa.DataType) -> bool:
    lists = pa.types.is_list(column_type) or pa.types.is_large_list(column_type)
    return bool(pa.types.is_null(column_type.value_type if lists else column_type))


def _is_column(value: object) -> bool:
    dimensions = getattr(value, "ndim", None)
    if dimensions is not None:
        return bool(dimensions >= 1)
    return isinstance(value, list | tuple | pa.Array | pa.ChunkedArray)


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        # numpy has no bfloat16.
        value = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
