"""Features that cross several columns: an id for each combination of their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from raymon.data.batch import IdList
from raymon.data.features.feature import Feature
from raymon.data.features.vocabulary import Vocabulary, look_up
from raymon.data.input_counts import InputCounts
from raymon.data.values import arrow_types as columns
from raymon.data.values.canonical import canonical_texts, is_value
from raymon.data.values.hashing import bucket_ids, combine_hashes, hash_values
from raymon.data.values.row_values import flat_values
from raymon.errors import DataError

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ComboFeature(Feature):
    """Ids from two columns or more of values, one a row or several each.

    A row has an id for each combination of one value of every column; the values of the first
    column change slowest. A row in which a column has no value has no combination: it has the id
    of `default_value`, where that is not "".

    Exactly one of `hash_bucket_size` and `vocabulary` is given.

    Attributes:
        hash_bucket_size: the id is `combine_hashes` of the hashes of the values, modulo this.
        vocabulary: id of each combination, which is spelled with "_" between the values, the
            default one among them, and of all others.
        default_value: in place of a missing combination.
        separator: between the values of one string; None: one value a row.
    """

    hash_bucket_size: int | None = None
    vocabulary: Vocabulary | None = None
    default_value: str = ""
    separator: str | None = None

    @property
    def accepted_types(self) -> str:
        return "integers, strings, dates or whole numbers, or lists of them"

    def accepts(self, column_type: pa.DataType) -> bool:
        if columns.is_list(column_type):
            column_type = column_type.value_type
        return is_value(column_type)

    def convert(
        self, *columns_: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList:
        values, lengths = [], []
        for name, column in zip(self.columns, columns_, strict=True):
            array = columns.as_array(column)
            try:
                flat, of_rows = flat_values(array, self.separator)
            except ValueError as error:
                raise DataError(f"feature {self.name}, column {name}: value {error}") from None
            values.append(flat)
            lengths.append(np.ones(len(array), np.int64) if of_rows is None else of_rows)
        picks, combined = _combinations(lengths)
        ids = self._ids(values, picks)
        missing = combined == 0
        default = self._default_id() if missing.any() else None
        if default is not None:
            ids = np.insert(ids, (np.cumsum(combined) - combined)[missing], default)
            combined = np.where(missing, 1, combined)
        if (combined == 1).all():
            return IdList(torch.from_numpy(ids))
        return IdList(torch.from_numpy(ids), torch.from_numpy(np.cumsum(combined) - combined))

    def _ids(self, values: list[pa.Array], picks: list[Ids]) -> Ids:
        if self.hash_bucket_size is not None:
            hashes = [hash_values(v)[pick] for v, pick in zip(values, picks, strict=True)]
            return bucket_ids(combine_hashes(hashes), self.hash_bucket_size)
        texts = [canonical_texts(v).take(p) for v, p in zip(values, picks, strict=True)]
        joined = pc.binary_join_element_wise(*texts, pa.scalar("_", pa.large_string()))
        assert self.vocabulary is not None
        return look_up(joined, self.vocabulary)

    def _default_id(self) -> int | None:
        if not self.default_value:
            return None
        default = pa.array([self.default_value])
        if self.hash_bucket_size is None:
            assert self.vocabulary is not None
            return int(look_up(default, self.vocabulary)[0])
        return int(bucket_ids(hash_values(default), self.hash_bucket_size)[0])


def _combinations(lengths: list[Ids]) -> tuple[list[Ids], Ids]:
    """All combinations of the values of each row.

    Args:
        lengths: of each column, how many values each row has: int64 `[B]`.

    Returns:
        Of each column, which value is in each combination: int64 `[N]`; and how many combinations
        each row has: int64 `[B]`.
    """
    combined = np.prod(lengths, axis=0)
    row = np.repeat(np.arange(len(combined)), combined)
    # Of each combination its number in its row, whose digits, of mixed bases, are the choices.
    number = np.arange(len(row)) - np.repeat(np.cumsum(combined) - combined, combined)
    picks = []
    for own in reversed(lengths):
        base = own[row]
        picks.append((np.cumsum(own) - own)[row] + number % base)
        number //= base
    return picks[::-1], combined
