"""Numbers that an operator has computed: as they are, or cut into buckets that have embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from raymon.data.batch import IdList
from raymon.data.features.feature import Feature
from raymon.data.features.normalizer import Normalizer
from raymon.data.features.row_error import RowError
from raymon.data.input_counts import InputCounts
from raymon.data.values import arrow_types

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ComputedNumbers(Feature):
    """Numbers of a column of numbers, or of lists of them.

    Attributes:
        default: Numbers of a row that has none, to which the normalizer is not applied; with
            boundaries there may be none.
        normalizer: Function applied to every number; None if numbers stay as they are.
        boundaries: Boundaries of buckets, as in `RawFeature`; empty if there are no buckets.
        several: Whether a row may have several buckets.
    """

    default: tuple[float, ...] = ()
    normalizer: Normalizer | None = None
    boundaries: tuple[float, ...] = ()
    several: bool = False

    @property
    def made_from_numbers(self) -> bool:
        """True: numbers are normalized and compared with boundaries."""
        return True

    @property
    def has_lists(self) -> bool:
        """Whether a row may have several buckets."""
        return self.several

    @property
    def accepted_types(self) -> str:
        """The accepted types, in words for a message."""
        return "numbers, or lists of them"

    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether values, or the items of lists, are numbers."""
        if arrow_types.is_list(column_type):
            column_type = column_type.value_type
        return arrow_types.is_number(column_type)

    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList | torch.Tensor:
        """Returns float32 `[B, value_dim]`, or with boundaries the buckets of each row."""
        numbers, lengths = self._numbers(arrow_types.as_array(columns[0]))
        if not self.boundaries:
            self._check_lengths(lengths)
            return torch.from_numpy(self._stored(numbers).reshape(-1, self.value_dim))
        # Not with `right=False`: a number on a boundary is in the bucket above it.
        ids = torch.from_numpy(np.searchsorted(self.boundaries, numbers, side="right"))
        if (lengths == 1).all():
            return IdList(ids)
        return IdList(ids, torch.from_numpy(np.cumsum(lengths) - lengths))

    def convert_into(
        self,
        out: npt.NDArray[Any],
        *columns: pa.Array | pa.ChunkedArray,
        counts: InputCounts | None = None,
    ) -> IdList | torch.Tensor | None:
        """Converts into given memory, if every row has one number or one bucket."""
        if self.boundaries or self.value_dim > 1:
            return super().convert_into(out, *columns, counts=counts)
        numbers, lengths = self._numbers(arrow_types.as_array(columns[0]))
        self._check_lengths(lengths)
        out[:] = self._stored(numbers)
        return None

    def output(self, *columns: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Returns the numbers as they are before they are stored, or the buckets."""
        if self.boundaries or self.value_dim > 1:
            return super().output(*columns)
        return pa.array(self._numbers(arrow_types.as_array(columns[0]))[0])

    def _numbers(self, column: pa.Array) -> tuple[Floats, Ints]:
        """Returns normalized numbers, one row after the other, and how many each row has."""
        if arrow_types.is_list(column.type):
            lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
            lengths, values = lengths.astype(np.int64), arrow_types.as_array(column.flatten())
        else:
            lengths = column.is_valid().to_numpy(zero_copy_only=False).astype(np.int64)
            values = column.drop_null() if column.null_count else column
        numbers = arrow_types.as_float64(values)
        if self.normalizer is not None:
            numbers = self.normalizer(numbers)
        self._check(numbers, lengths)
        missing = lengths == 0
        if self.default and missing.any():
            places = np.repeat((np.cumsum(lengths) - lengths)[missing], len(self.default))
            numbers = np.insert(numbers, places, np.tile(self.default, int(missing.sum())))
            lengths = np.where(missing, len(self.default), lengths)
        return numbers, lengths

    def _check(self, numbers: Floats, lengths: Ints) -> None:
        # A sum is finite only if all its terms are, and takes a tenth of the time.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(numbers.sum()):
                return
        wrong = ~np.isfinite(numbers)
        if wrong.any():
            place = int(np.argmax(wrong))
            row = int(np.searchsorted(np.cumsum(lengths), place, side="right"))
            raise RowError(
                f"feature {self.name}: its value is {numbers[place]}; it must be a finite number",
                row,
            )

    def _check_lengths(self, lengths: Ints) -> None:
        wrong = lengths != self.value_dim
        if wrong.any():
            row = int(np.argmax(wrong))
            raise RowError(
                f"feature {self.name}: has {lengths[row]} numbers; a row must have "
                f"{self.value_dim} (value_dim), or none",
                row,
            )

    def _stored(self, numbers: Floats) -> npt.NDArray[np.float32]:
        with np.errstate(over="ignore"):
            stored = numbers.astype(np.float32)
        self._check(stored.astype(np.float64), np.ones(len(stored), np.int64))
        return stored
