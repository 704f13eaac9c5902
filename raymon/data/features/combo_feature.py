"""Features that cross several columns: one id for each combination of their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from raymon.data.batch import IdList
from raymon.data.features.feature import Feature, named
from raymon.data.features.vocabulary import Vocabulary, look_up
from raymon.data.input_counts import InputCounts
from raymon.data.values import arrow_types
from raymon.data.values.canonical import canonical_texts, is_value
from raymon.data.values.hashing import bucket_ids, combine_hashes, hash_values, id_of_hash
from raymon.data.values.row_values import flat_values
from raymon.errors import DataError

Ids = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class ComboFeature(Feature):
    """Ids from the values of two columns or more, each with one value or several a row.

    A row has an id for each combination of one value of every column; the values of the first
    column change slowest. A row in which a column has no value has no combination: it has the id of
    `default_value`, unless that is "".

    At most one of `hash_bucket_size` and `vocabulary` is given; without any the ids are those of a
    table that grows: `combine_hashes` without its lowest bit.

    Attributes:
        hash_bucket_size: Number of ids; an id is `combine_hashes` of the hashes of the values,
            modulo this.
        vocabulary: Id of each combination, which is spelled with "_" between its values, of the
            default value, and of all others.
        default_value: Value in place of a missing combination.
        separator: Text between the values of one string; None if a row has one value.
        only_first: Whether a row has its first combination alone.
    """

    hash_bucket_size: int | None = None
    vocabulary: Vocabulary | None = None
    default_value: str = ""
    separator: str | None = None
    only_first: bool = False

    @property
    def is_hashed(self) -> bool:
        """Whether its ids are hashes of values, modulo the rows of the table."""
        return self.hash_bucket_size is not None

    @property
    def has_lists(self) -> bool:
        """Whether values of a row are separated."""
        return self.separator is not None and not self.only_first

    @property
    def accepted_types(self) -> str:
        """The accepted types of each column, in words for a message."""
        return "integers, strings, dates or whole numbers, or lists of them"

    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether values of the type, or of the items of its lists, have a canonical form."""
        if arrow_types.is_list(column_type):
            column_type = column_type.value_type
        return is_value(column_type)

    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList:
        """Returns the ids of the combinations; nothing is counted."""
        values, picks, combined = self._combined(columns)
        ids = self._ids(values, picks)
        missing = combined == 0
        default = self._default_id() if missing.any() else None
        if default is not None:
            ids = np.insert(ids, (np.cumsum(combined) - combined)[missing], default)
            combined = np.where(missing, 1, combined)
        if (combined == 1).all():
            return IdList(torch.from_numpy(ids))
        return IdList(torch.from_numpy(ids), torch.from_numpy(np.cumsum(combined) - combined))

    def texts(self, *columns: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Returns the combinations of each row `[B]`, spelled out, as lists of texts."""
        values, picks, combined = self._combined(columns)
        ends = np.append(np.cumsum(combined) - combined, combined.sum())
        return pa.LargeListArray.from_arrays(pa.array(ends), _spelled(values, picks))

    def _combined(
        self, columns: Sequence[pa.Array | pa.ChunkedArray]
    ) -> tuple[list[pa.Array], list[Ids], Ids]:
        """Returns the values of each column, those of each combination, and how many a row has."""
        values, lengths = [], []
        for name, column in zip(self.columns, columns, strict=True):
            array = arrow_types.as_array(column)
            try:
                flat, of_rows = flat_values(array, self.separator)
            except ValueError as error:
                raise DataError(
                    f"feature {self.name}, column {named(name)}: value {error}"
                ) from None
            values.append(flat)
            lengths.append(np.ones(len(array), np.int64) if of_rows is None else of_rows)
        if self.only_first:
            picks = [(np.cumsum(own) - own)[np.all(lengths, axis=0)] for own in lengths]
            return values, picks, np.all(lengths, axis=0).astype(np.int64)
        return values, *_combinations(lengths)

    def _ids(self, values: list[pa.Array], picks: list[Ids]) -> Ids:
        if self.vocabulary is None:
            hashes = [hash_values(v)[pick] for v, pick in zip(values, picks, strict=True)]
            return self._id_of(combine_hashes(hashes))
        return look_up(_spelled(values, picks), self.vocabulary)

    def _default_id(self) -> int | None:
        if not self.default_value:
            return None
        default = pa.array([self.default_value])
        if self.vocabulary is not None:
            return int(look_up(default, self.vocabulary)[0])
        return int(self._id_of(hash_values(default))[0])

    def _id_of(self, hashes: UInt64s) -> Ids:
        if self.hash_bucket_size is None:
            return id_of_hash(hashes)
        return bucket_ids(hashes, self.hash_bucket_size)


def _spelled(values: list[pa.Array], picks: list[Ids]) -> pa.Array:
    """Returns the text of each combination `[N]`."""
    texts = [canonical_texts(v).take(pa.array(p)) for v, p in zip(values, picks, strict=True)]
    return pc.binary_join_element_wise(*texts, pa.scalar("_", pa.large_string()))


def _combinations(lengths: list[Ids]) -> tuple[list[Ids], Ids]:
    """Returns all combinations of the values of each row.

    Args:
        lengths: For each column, the number of values of each row, int64 `[B]`.

    Returns:
        For each column, the index of its value in each combination, int64 `[N]`; and the number of
        combinations of each row, int64 `[B]`.
    """
    combined = np.prod(lengths, axis=0)
    row = np.repeat(np.arange(len(combined)), combined)
    # The number of each combination in its row; its digits, in mixed bases, are the choices.
    number = np.arange(len(row)) - np.repeat(np.cumsum(combined) - combined, combined)
    picks = []
    for own in reversed(lengths):
        base = own[row]
        picks.append((np.cumsum(own) - own)[row] + number % base)
        number //= base
    return picks[::-1], combined
