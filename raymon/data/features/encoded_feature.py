"""Features whose columns hold ids and numbers already."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import IdList
from raymon.data.features.feature import Feature
from raymon.data.features.raw_feature import RawFeature
from raymon.data.input_counts import InputCounts
from raymon.data.values import arrow_types
from raymon.data.values.canonical import NO_INTEGER, is_value, parsed_integers
from raymon.data.values.row_values import flat_values, map_values, weighted_values
from raymon.errors import DataError

Ids = npt.NDArray[np.int64]

_LARGEST = 2**63 - 1

_REMEDY = "where columns are raw, set data_config.fg_mode: FG_DAG"


@dataclass(frozen=True)
class EncodedIds(Feature):
    """Ids from one column that holds them already: indices of rows, or any if the table grows.

    Attributes:
        default: Ids of a row that has none.
        separator: Text between the values of one string.
        weighted: Whether values are strings `id:weight`, and embeddings are multiplied by the
            weights; the weight of a default is 1.
    """

    default: tuple[int, ...] = ()
    separator: str = "\x03"
    weighted: bool = False

    @property
    def has_lists(self) -> bool:
        """Whether ids have weights; strings and lists show only in the data."""
        return self.weighted

    @property
    def accepted_types(self) -> str:
        """The accepted types, in words for a message, with the remedy for raw columns."""
        if self.weighted:
            return f"strings of ID:WEIGHT, lists of them, or maps from ids to numbers; {_REMEDY}"
        return f"integers, or strings of them, or lists of them; {_REMEDY}"

    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether values have a canonical form and are no dates, or are strings if with weights."""
        if arrow_types.is_list(column_type):
            column_type = column_type.value_type
        if self.weighted:
            if arrow_types.is_weighted_map(column_type):
                return is_value(column_type.key_type)
            return arrow_types.is_string(column_type) or pa.types.is_null(column_type)
        kind = arrow_types.value_type(column_type)
        return is_value(kind) and not pa.types.is_date(kind)

    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList:
        """Returns the ids of the rows; an id that is not in the table is an error."""
        (column,) = columns
        weights: npt.NDArray[np.float64] | None
        lengths: Ids | None
        try:
            array = arrow_types.as_array(column)
            if pa.types.is_map(array.type):
                values, lengths, weights = map_values(array)
            else:
                values, lengths = flat_values(array, self.separator)
                weights = None
                if self.weighted:
                    values, weights = weighted_values(values)
        except ValueError as error:
            raise self._error(str(error)) from None
        ids = self._ids(values)
        if lengths is not None and self.default:
            missing = lengths == 0
            places = np.repeat((np.cumsum(lengths) - lengths)[missing], len(self.default))
            ids = np.insert(ids, places, np.tile(self.default, int(missing.sum())))
            weights = None if weights is None else np.insert(weights, places, 1.0)
            lengths = np.where(missing, len(self.default), lengths)
        offsets = None
        if lengths is not None and not (lengths == 1).all():
            offsets = torch.from_numpy(np.cumsum(lengths) - lengths)
        if weights is None:
            return IdList(torch.from_numpy(ids), offsets)
        return IdList(torch.from_numpy(ids), offsets, torch.from_numpy(weights.astype(np.float32)))

    def _ids(self, values: pa.Array) -> Ids:
        assert self.embedding is not None
        # A copy, because the values may lie in memory of Arrow, which cannot be written.
        ids = np.array(parsed_integers(values))
        rows = self.embedding.num_embeddings
        wrong = ids < 0
        if self.embedding.growth is None:
            wrong |= ids >= rows
        else:
            # What is beyond 64 bits was parsed as the largest integer.
            for place in np.flatnonzero(ids == _LARGEST):
                wrong[place] = Decimal(str(values[int(place)].as_py())) > _LARGEST
        if wrong.any():
            row = int(np.argmax(wrong))
            value = values[row].as_py()
            what = f"{value!r} is not an integer"
            if ids[row] != NO_INTEGER and self.embedding.growth is not None:
                what = f"{value} is not in [0, 2^63), the ids of a table that grows"
            elif ids[row] != NO_INTEGER:
                what = f"{value} is not in [0, {rows}), the ids of its table of {rows} rows"
            raise self._error(what)
        return ids

    def _error(self, what: str) -> DataError:
        return DataError(
            f"feature {self.name}, column {self.column}: value {what}; columns hold encoded ids "
            f"(fg_mode FG_NONE); {_REMEDY}"
        )


@dataclass(frozen=True)
class EncodedNumbers(RawFeature):
    """Numbers as they are, or strings that spell them."""

    @property
    def accepted_types(self) -> str:
        """The accepted types, in words for a message."""
        return "numbers, strings of them, or lists of them"
