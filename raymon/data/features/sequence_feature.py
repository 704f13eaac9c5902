"""Features of sequences: ids or numbers for each of any number of positions of a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch

from raymon.data.batch import IdList, Positions
from raymon.data.features.feature import Feature
from raymon.data.features.positions import Cut, cut_rows, numbers, split_rows
from raymon.data.input_counts import InputCounts
from raymon.data.values import arrow_types
from raymon.errors import DataError


@dataclass(frozen=True)
class SequenceFeature(Feature):
    """A feature of the positions of sequences, made of each position as it is made of a row.

    A row is a string with a delimiter between its positions, a list of positions, or null. Columns
    of a position are what the feature of a position takes: a list of lists has several values in
    each.

    Attributes:
        of_position: The feature of a position; it has the name and the columns of this one.
        sequences: Whether each column holds a value a position; others have one a row, which all of
            its positions have.
        delimiter: Text between the positions of one string.
        most: Positions of a row that are kept, from the first one on; None if all are.
        fills: Whether a row without positions gets one, of a missing value.
        sequence: Name of the sequence, whose features have as many positions; "" if it is alone.
    """

    of_position: Feature
    sequences: tuple[bool, ...]
    delimiter: str = ";"
    most: int | None = None
    fills: bool = False
    sequence: str = ""

    @property
    def is_sequence(self) -> bool:
        """True."""
        return True

    @property
    def is_hashed(self) -> bool:
        """Whether ids are hashes of values, modulo the rows of the table."""
        return self.of_position.is_hashed

    @property
    def made_from_numbers(self) -> bool:
        """Whether values are numbers."""
        return self.of_position.made_from_numbers

    @property
    def accepted_types(self) -> str:
        """The accepted types, in words for a message."""
        one = self.of_position.accepted_types
        return f"lists of positions, or strings with the delimiter between; a position is of {one}"

    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether a column holds positions, or what a feature of one row is made from."""
        if arrow_types.is_list(column_type) and self._accepts(column_type.value_type):
            return True
        return self._accepts(column_type)

    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList | torch.Tensor:
        """Returns the ids or the numbers of all positions, as if each were a row."""
        found = self.positions(*columns, counts=counts)
        if found.numbers is not None:
            return found.numbers
        assert found.ids is not None
        return found.ids

    def positions(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> Positions:
        """Returns the positions of the rows; the arguments are those of `convert`."""
        cut: Cut | None = None
        first, found = "", {}
        for name, column, is_sequence in zip(self.columns, columns, self.sequences, strict=True):
            if not is_sequence:
                continue
            values, lengths = split_rows(column, self.delimiter)
            if cut is not None and (cut.given != lengths).any():
                row = int(np.argmax(cut.given != lengths))
                raise DataError(
                    f"feature {self.name}: column {name} has {lengths[row]} positions in a row, "
                    f"{first} {cut.given[row]}; they must have equally many"
                )
            if cut is None:
                cut, first = cut_rows(lengths, self.most, self.fills), name
            found[name] = cut.of_positions(values)
        assert cut is not None, "one of the columns is a sequence"
        taken = []
        for name, column in zip(self.columns, columns, strict=True):
            values = found[name] if name in found else cut.of_rows(column)
            if self.made_from_numbers and not self.of_position.accepts(values.type):
                values = self._parsed(values)
            taken.append(values)
        made = self.of_position.convert(*taken, counts=counts)
        offsets = torch.from_numpy(cut.offsets)
        if isinstance(made, torch.Tensor):
            return Positions(offsets, cut.longest, numbers=made)
        assert isinstance(made, IdList)
        return Positions(offsets, cut.longest, made)

    def _accepts(self, column_type: pa.DataType) -> bool:
        if self.of_position.accepts(column_type) or pa.types.is_null(column_type):
            return True
        return self.made_from_numbers and arrow_types.is_string(column_type)

    def _parsed(self, values: pa.Array) -> pa.Array:
        try:
            return numbers(values)
        except pa.ArrowInvalid as error:
            what = str(error).splitlines()[0]
            raise DataError(f"feature {self.name}, column {self.column}: {what}") from None
