"""The table of items that negatives are drawn from: its ids, weights, and rows of features."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.features.feature import Feature
from raymon.data.input_counts import InputCounts
from raymon.data.reading.converter import Columns, Converter, Origin
from raymon.data.reading.packed_rows import PackedRows, join_rows
from raymon.data.reading.table_files import text_type
from raymon.data.sampling.sampler_spec import SamplerSpec
from raymon.data.sampling.text_table import read_tables
from raymon.data.values.arrow_types import as_array, as_float64, is_string
from raymon.data.values.hashing import key_ids
from raymon.errors import DataError, first_line

_log = logging.getLogger("raymon")

_ROWS = 1 << 18
"""Items that are converted together."""

WEIGHT = "weight"
"""Name of the column of weights, where columns have names of their own."""


class ItemTable:
    """Items, each once.

    Args:
        spec: The sampler.
        features: Features of an item, made of its attributes alone.

    Attributes:
        weights: Weight of each item, float64 `[N]`.
        rows: Features of each item.

    Raises:
        DataError: There are no items, one has no id, weight or attribute, or a weight that is
            negative or no number.
    """

    def __init__(self, spec: SamplerSpec, features: Sequence[Feature]) -> None:
        self.columns = Columns(list(features), {})
        counts = InputCounts()
        converter = Converter(self.columns, counts)
        keys, weights, pieces = [], [], []
        for path, whole in read_tables(spec.item_path, spec.field_delimiter):
            for begin in range(0, len(whole), _ROWS):
                own_keys, own_weights, attributes = _parts(
                    whole.slice(begin, _ROWS), path, begin, spec, self.columns
                )
                keys.append(own_keys)
                weights.append(own_weights)
                pieces.append(converter.convert(attributes, Origin(path, begin)))
        if not pieces:
            raise DataError(f"{spec.item_path}: has no items; negatives are drawn from some")
        ids, first = np.unique(np.concatenate(keys), return_index=True)
        if len(first) < sum(map(len, keys)):
            again = sum(map(len, keys)) - len(first)
            _log.warning(
                "%s: %s rows have the id of an item that is there already; they are left out",
                spec.item_path,
                again,
            )
        self._ids = ids
        self.weights = np.concatenate(weights)[first]
        if not self.weights.sum() > 0:
            raise DataError(f"{spec.item_path}: no item has a weight above 0; none can be drawn")
        # In the order of the ids, so that a search finds the row.
        self.rows: PackedRows = join_rows(pieces).take(first.astype(np.int64))

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Returns the index of the item of each key, -1 if there is none: int64 `[K]`."""
        order = np.argsort(keys)
        places = np.empty(len(keys), np.int64)
        # In order, so that what one search reads is in a cache for the next.
        places[order] = np.searchsorted(self._ids, keys[order])
        places = np.minimum(places, len(self._ids) - 1)
        found: npt.NDArray[np.int64] = np.where(self._ids[places] == keys, places, -1)
        return found


def _parts(
    table: pa.Table, path: str, begin: int, spec: SamplerSpec, columns: Columns
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], pa.Table]:
    """Returns the keys, weights and attributes of the items of a table."""
    names = table.column_names
    if set(spec.attributes) <= set(names):
        ids = table[spec.item_id if spec.item_id in names else names[0]]
        weights = table[WEIGHT] if WEIGHT in names else None
        attributes = {name: table[name] for name in spec.attributes}
    elif len(names) == 3:
        ids, weights = table[0], table[1]
        attributes = _split(table[2], path, begin, spec)
    else:
        missing = next(name for name in spec.attributes if name not in names)
        raise DataError(
            f"{path}: has no column {missing} of {spec.place}.attr_fields; it has "
            f"{', '.join(names)}. Give one for each attribute, or three: id, weight, attributes"
        )
    if ids.null_count:
        row = begin + int(np.argmax(ids.is_null().to_numpy()))
        raise DataError(f"{path}: row {row}: has no id")
    try:
        keys = key_ids(ids).numpy()
    except ValueError as error:
        raise DataError(f"{path}: column {names[0]}: value {error}") from None
    found = np.ones(len(table)) if weights is None else weights_of(weights, path, begin)
    made = {name: _typed(attributes[name], name, columns, path) for name in columns.names}
    # Without a column a table has no rows.
    return keys, found, pa.table(made) if made else pa.table({"": ids})


def weights_of(column: pa.ChunkedArray, path: str, begin: int) -> npt.NDArray[np.float64]:
    """Returns weights, float64 `[N]`.

    Args:
        column: Column of the weights, numbers or strings.
        path: File that has them, for messages.
        begin: Row of the file at which they begin.

    Raises:
        DataError: One is missing, negative or not finite.
    """
    try:
        numbers = column.cast(pa.float64()) if is_string(column.type) else column
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: weight: {first_line(error)}; weights are numbers") from None
    weights = as_float64(numbers)
    wrong = ~((weights >= 0) & np.isfinite(weights))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{path}: row {begin + row}: weight is {column[row].as_py()!r}; a weight must be "
            "finite and not negative"
        )
    return weights


def _split(
    column: pa.ChunkedArray, path: str, begin: int, spec: SamplerSpec
) -> dict[str, pa.Array]:
    """Returns the attributes that are in one string, by name."""
    texts = as_array(column).cast(pa.string()).fill_null("")
    lists = pc.split_pattern(texts, spec.attr_delimiter)
    count = len(spec.attributes)
    wrong = pc.not_equal(pc.list_value_length(lists), count).to_numpy(zero_copy_only=False)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{path}: row {begin + row}: has {len(lists[row])} attributes between "
            f"{spec.attr_delimiter!r}; {spec.place}.attr_fields has {count}"
        )
    flat = lists.flatten()
    empty = pc.if_else(pc.equal(flat, ""), None, flat)
    return {
        name: empty.take(pa.array(np.arange(place, len(empty), count)))
        for place, name in enumerate(spec.attributes)
    }


def _typed(
    column: pa.Array | pa.ChunkedArray, name: str, columns: Columns, path: str
) -> pa.Array | pa.ChunkedArray:
    """Returns a column of strings in the type that its features need."""
    if not is_string(column.type):
        return column
    try:
        return column.cast(text_type(name, columns))
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: attribute {name}: {first_line(error)}") from None
