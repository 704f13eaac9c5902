"""Features that are ids: of users, items, categories, tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import IdList
from raymon.data.features.feature import Feature
from raymon.data.features.vocabulary import Vocabulary, look_up
from raymon.data.input_counts import InputCounts
from raymon.data.values import arrow_types
from raymon.data.values.canonical import NO_INTEGER, is_value, parsed_integers
from raymon.data.values.hashing import bucket_ids, hash_values, raw_ids
from raymon.data.values.row_values import first_values, flat_values, map_values, weighted_values
from raymon.errors import DataError
from raymon.results import IDS_OUT_OF_RANGE, of_feature

Ids = npt.NDArray[np.int64]

_OUT_OF_RANGE = -1


@dataclass(frozen=True)
class IdFeature(Feature):
    """Ids from a column of values, one or several a row.

    At most one of `hash_bucket_size`, `num_buckets` and `vocabulary` is given; without any the ids
    are those of a table that grows, see `raw_ids`. The same value has the same id, whatever type
    the column has: see `raymon.data.values.canonical`. Nulls, NaN and empty strings are missing
    values. A row without any value has the id of `default_value`; if that is "", it has no id and
    its embedding is zero.

    Attributes:
        hash_bucket_size: Number of ids; an id is the hash of the value, modulo this.
        num_buckets: Number of ids; values are integers in [0, num_buckets), or strings that spell
            them. Integers out of this range are counted, and have the id of `default_value`, or 0
            if that is "".
        vocabulary: Ids of listed values, of the default value, and of all others.
        default_value: Value in place of a missing one.
        separator: Text between the values of one string; None if a row has one value.
        most: Number of values that a row has at most, of which the first are taken; None for any.
        weighted: Whether values are strings `value:weight`, or keys of maps to their weights, and
            embeddings are multiplied by the weights; the weight of `default_value` is 1.
    """

    hash_bucket_size: int | None = None
    num_buckets: int | None = None
    vocabulary: Vocabulary | None = None
    default_value: str = ""
    separator: str | None = None
    weighted: bool = False
    most: int | None = None

    @property
    def is_hashed(self) -> bool:
        """Whether its ids are hashes of values, modulo the rows of the table."""
        return self.hash_bucket_size is not None

    @property
    def has_lists(self) -> bool:
        """Whether values of a row are separated, or have weights."""
        return self.separator is not None or self.weighted

    @property
    def accepted_types(self) -> str:
        """The accepted types, in words for a message."""
        if self.weighted:
            return "strings of VALUE:WEIGHT, lists of them, or maps from values to numbers"
        scalars = "integers, strings, dates or whole numbers"
        return scalars if self.separator is None else f"{scalars}, or lists of them"

    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether values have a canonical form, or are strings if they have weights."""
        if arrow_types.is_list(column_type) and self.separator is not None:
            column_type = column_type.value_type
        if self.weighted:
            if arrow_types.is_weighted_map(column_type):
                return is_value(column_type.key_type)
            return arrow_types.is_string(column_type) or pa.types.is_null(column_type)
        return is_value(column_type)

    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList:
        """Returns the ids of the rows; counts those out of the range of `num_buckets`."""
        (column,) = columns
        ids = self._convert_any(arrow_types.in_one_piece(column))
        if self.num_buckets is not None:
            self._settle(ids.values.numpy(), column, counts)
        return ids

    def convert_into(
        self,
        out: npt.NDArray[Any],
        *columns: pa.Array | pa.ChunkedArray,
        counts: InputCounts | None = None,
    ) -> IdList | torch.Tensor | None:
        """Converts into given memory; each entry of a dictionary is converted only once."""
        (column,) = columns
        array = arrow_types.in_one_piece(column)
        if not pa.types.is_dictionary(array.type):
            return super().convert_into(out, array, counts=counts)
        entries, indices = self._of_entries(array)
        if entries.offsets is not None or entries.weights is not None:
            return self.convert(array, counts=counts)
        # Clipping is only faster: all indices of Arrow are in range.
        entries.values.numpy().take(indices, out=out, mode="clip")
        if self.num_buckets is not None:
            self._settle(out, column, counts)
        return None

    def _settle(
        self, ids: Ids, column: pa.Array | pa.ChunkedArray, counts: InputCounts | None
    ) -> None:
        """Replaces ids that are out of range, in place, by the one of the default value."""
        if len(ids) == 0 or ids.min() >= 0:
            return
        if ids.min() == NO_INTEGER:
            values, _, _ = self._flat(arrow_types.as_array(column))
            wrong = values[int(np.argmin(self._ids(values)))].as_py()
            raise self._error(f"{wrong!r} is not an integer (num_buckets)")
        out = ids < 0
        if counts is not None:
            counts.add(of_feature(IDS_OUT_OF_RANGE, self.name), int(out.sum()))
        ids[out] = int(self.default_value or 0)

    def _convert_any(self, array: pa.Array) -> IdList:
        if not pa.types.is_dictionary(array.type):
            return self._convert(array)
        entries, indices = self._of_entries(array)
        return entries.take(indices)

    def _of_entries(self, array: pa.DictionaryArray) -> tuple[IdList, npt.NDArray[np.integer]]:
        """Returns the ids of the entries of a dictionary, and the index of the entry of each row.

        Where there are nulls, the ids of a null follow those of the entries.
        """
        entries, indices = array.dictionary, array.indices
        if indices.null_count:
            indices = indices.fill_null(len(entries))
            entries = pa.concat_arrays([entries, pa.nulls(1, entries.type)])
        return self._convert(entries), indices.to_numpy(zero_copy_only=False)

    def _convert(self, array: pa.Array) -> IdList:
        values, lengths, weights = self._flat(arrow_types.as_array(array))
        if self.most is not None and lengths is not None:
            kept, lengths = first_values(lengths, self.most)
            values = values.filter(pa.array(kept))
            weights = None if weights is None else weights[kept]
        ids = self._ids(values)
        if lengths is not None:
            missing = lengths == 0
            default = self._default_id() if missing.any() else None
            if default is not None:
                places = (np.cumsum(lengths) - lengths)[missing]
                ids = np.insert(ids, places, default)
                weights = None if weights is None else np.insert(weights, places, 1.0)
                lengths = np.where(missing, 1, lengths)
        offsets = None
        if lengths is not None and not (lengths == 1).all():
            offsets = torch.from_numpy(np.cumsum(lengths) - lengths)
        if weights is None:
            return IdList(torch.from_numpy(ids), offsets)
        return IdList(torch.from_numpy(ids), offsets, torch.from_numpy(weights.astype(np.float32)))

    def _flat(self, array: pa.Array) -> tuple[pa.Array, Ids | None, npt.NDArray[np.float64] | None]:
        """Returns the values, how many each row has, and their weights.

        Without counts each row has one value; without weights all are 1.
        """
        try:
            if pa.types.is_map(array.type):
                return map_values(array)
            values, lengths = flat_values(array, self.separator)
            if not self.weighted:
                return values, lengths, None
            values, weights = weighted_values(values)
        except ValueError as error:
            raise self._error(str(error)) from None
        return values, lengths, weights

    def _ids(self, values: pa.Array) -> Ids:
        """Returns the ids of values that are not missing, as a new array."""
        if self.hash_bucket_size is not None:
            return bucket_ids(hash_values(values), self.hash_bucket_size)
        if self.num_buckets is not None:
            ids = parsed_integers(values)
            inside = (ids >= 0) & (ids < self.num_buckets)
            return np.where(inside | (ids == NO_INTEGER), ids, _OUT_OF_RANGE)
        if self.vocabulary is not None:
            return look_up(values, self.vocabulary)
        try:
            return raw_ids(values)
        except ValueError as error:
            raise self._error(str(error)) from None

    def _default_id(self) -> int | None:
        if self.default_value == "":
            return None
        return int(self._ids(pa.array([self.default_value]))[0])

    def _error(self, what: str) -> DataError:
        return DataError(f"feature {self.name}, column {self.column}: value {what}")
