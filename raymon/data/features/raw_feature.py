"""Features that are numbers: as they are, or cut into buckets that have embeddings."""

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
from raymon.data.input_counts import InputCounts
from raymon.data.values import arrow_types
from raymon.errors import DataError, first_line

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RawFeature(Feature):
    """Numbers from a numeric column; several a row from lists or from strings with a separator.

    Attributes:
        numbers: Numbers a row, V.
        default: The V numbers of a row that is null, to which the normalizer is not applied.
        separator: Text between the numbers of one string.
        normalizer: Function applied to every number; None if numbers stay as they are.
        boundaries: Boundaries of buckets, ascending: x is in bucket i if
            `boundaries[i - 1] <= x < boundaries[i]`. Empty if there are no buckets.
    """

    numbers: int = 1
    default: tuple[float, ...] = (0.0,)
    separator: str = "\x1d"
    normalizer: Normalizer | None = None
    boundaries: tuple[float, ...] = ()

    @property
    def made_from_numbers(self) -> bool:
        """True: numbers are normalized and compared with boundaries."""
        return True

    @property
    def has_lists(self) -> bool:
        """Whether a row has several buckets."""
        return self.is_sparse and self.numbers > 1

    @property
    def accepted_types(self) -> str:
        """The accepted types, in words for a message."""
        if self.numbers == 1:
            return "numbers, strings that spell them, or lists of one number"
        return f"lists of {self.numbers} numbers, or strings of them with the separator between"

    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether the column holds numbers, or strings or lists of them."""
        if self.numbers == 1 and arrow_types.is_number(column_type):
            return True
        if arrow_types.is_list(column_type):
            kind = column_type.value_type
            return arrow_types.is_number(kind) or arrow_types.is_string(kind)
        return arrow_types.is_string(column_type) or pa.types.is_null(column_type)

    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList | torch.Tensor:
        """Returns float32 `[B, V]`, or with boundaries the buckets, as V ids a row."""
        (column,) = columns
        raw, values = self._values(column)
        stored = np.empty(values.shape, np.float32)
        self._store(raw, values, stored)
        if not self.boundaries:
            return torch.from_numpy(stored.reshape(-1, self.numbers))
        ids = torch.from_numpy(np.searchsorted(self.boundaries, values.ravel(), side="right"))
        starts = None if self.numbers == 1 else torch.arange(0, len(ids), self.numbers)
        return IdList(ids, starts)

    def convert_into(
        self,
        out: npt.NDArray[Any],
        *columns: pa.Array | pa.ChunkedArray,
        counts: InputCounts | None = None,
    ) -> IdList | torch.Tensor | None:
        """Converts into given memory, if every row has one number or one id."""
        if self.numbers > 1 or self.boundaries:
            return super().convert_into(out, *columns, counts=counts)
        self._store(*self._values(*columns), out)
        return None

    def output(self, *columns: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Returns the numbers as they are before they are stored, or the buckets."""
        if self.boundaries or self.numbers > 1:
            return super().output(*columns)
        return pa.array(self._values(*columns)[1])

    def _values(self, column: pa.Array | pa.ChunkedArray) -> tuple[Floats, Floats]:
        """Returns the numbers, arbitrary where a row is null, before and after the normalizer."""
        array = arrow_types.as_array(column)
        if arrow_types.is_number(array.type) and self.numbers == 1:
            missing = array.is_null() if array.null_count else None
            raw = arrow_types.as_float64(array, null=self.default[0])
        else:
            raw, missing = self._rows(array)
            raw = raw.ravel() if self.numbers == 1 else raw
        self._check(raw, raw, "value")
        if self.normalizer is None:
            return raw, raw
        values = self.normalizer(raw)
        if missing is not None:
            # A normalizer may return its argument, or an array that cannot be written.
            values = values.copy()
            values[missing.to_numpy(zero_copy_only=False)] = (
                self.default[0] if self.numbers == 1 else self.default
            )
        return raw, values

    def _store(self, raw: Floats, values: Floats, out: npt.NDArray[Any]) -> None:
        # float32 is stored, in which a number that was finite may no longer be so.
        with np.errstate(over="ignore"):
            np.copyto(out, values, casting="same_kind")
        self._check(out, raw, "normalized value of" if self.normalizer else "value")

    def _rows(self, column: pa.Array) -> tuple[Floats, pa.Array | None]:
        """Returns the numbers, float64 `[B, V]`, and which rows are null; None if none is.

        A row that is null has the default.
        """
        present = column.is_valid()
        if pa.types.is_null(column.type):
            column = column.cast(pa.string())
        texts = arrow_types.is_string(column.type)
        if texts:
            present = pc.and_kleene(present, pc.not_equal(column, "")).fill_null(False)
            column = pc.split_pattern(column, pattern=self.separator)
        else:
            present = pc.and_kleene(present, pc.greater(pc.list_value_length(column), 0))
            present = present.fill_null(False)
        filled = present.to_numpy(zero_copy_only=False)
        column = column.filter(present)
        lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
        if (lengths != self.numbers).any():
            row = int(np.argmax(lengths != self.numbers))
            raise self._error(f"{column[row].as_py()!r} has {lengths[row]} numbers")
        values = arrow_types.as_array(column.flatten())
        texts = arrow_types.is_string(values.type)
        rows = np.broadcast_to(np.asarray(self.default), (len(filled), self.numbers)).copy()
        rows[filled] = (self._parse(values) if texts else arrow_types.as_float64(values)).reshape(
            -1, self.numbers
        )
        return rows, None if filled.all() else pc.invert(present)

    def _parse(self, texts: pa.Array) -> Floats:
        try:
            return arrow_types.as_float64(pc.utf8_trim_whitespace(texts))
        except pa.ArrowInvalid as error:
            raise self._error(first_line(error)) from None

    def _check(self, values: npt.NDArray[np.floating], raw: Floats, what: str) -> None:
        # A sum is finite only if all its terms are, and takes a tenth of the time.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(values.sum(dtype=np.float64)):
                return
        finite = np.isfinite(values)
        if not finite.all():
            raise self._error(f"{what} {raw[~finite][0]} is not a finite number")

    def _error(self, what: str) -> DataError:
        wanted = "a finite number" if self.numbers == 1 else f"{self.numbers} finite numbers"
        return DataError(
            f"feature {self.name}, column {self.column}: {what}; a row must be null or {wanted}"
        )
