"""Features whose values an operator makes of raw columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import IdList
from raymon.data.features.feature import ColumnUse, Feature
from raymon.data.features.operators.operator import Operator, RowValueError
from raymon.data.features.row_error import RowError
from raymon.data.features.vocabulary import Vocabulary
from raymon.data.input_counts import InputCounts
from raymon.data.values import arrow_types
from raymon.errors import DataError


@dataclass(frozen=True)
class OperatorFeature(Feature):
    """A feature that is made, as another one is, of what an operator computes.

    Attributes:
        operator: Operator over the columns.
        end: Feature of the values of the operator; None if they are only for other features.
    """

    operator: Operator
    end: Feature | None

    @property
    def is_hashed(self) -> bool:
        """Whether its ids are hashes of values, modulo the rows of the table."""
        return self.end is not None and self.end.is_hashed

    @property
    def has_lists(self) -> bool:
        """Whether rows are expected to have several ids, or ids with weights."""
        return self.end is not None and self.end.has_lists

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The vocabulary of its values; None if there is none."""
        return getattr(self.end, "vocabulary", None)

    @property
    def uses(self) -> tuple[ColumnUse, ...]:
        """What the operator takes of each column."""
        operator = self.operator
        return tuple(
            ColumnUse(
                column,
                operator.accepted_types(index),
                partial(operator.accepts, index),
                operator.from_numbers(index),
            )
            for index, column in enumerate(self.columns)
        )

    @property
    def accepted_types(self) -> str:
        """The accepted types of the first column, in words for a message."""
        return self.operator.accepted_types(0)

    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether the first column may have this type."""
        return self.operator.accepts(0, column_type)

    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList | torch.Tensor:
        """Returns the feature of the values that the operator makes of the rows."""
        assert self.end is not None
        return self.end.convert(self._values(columns), counts=counts)

    def convert_into(
        self,
        out: npt.NDArray[Any],
        *columns: pa.Array | pa.ChunkedArray,
        counts: InputCounts | None = None,
    ) -> IdList | torch.Tensor | None:
        """Converts into given memory, if every row has exactly one id or one number."""
        assert self.end is not None
        return self.end.convert_into(out, self._values(columns), counts=counts)

    @property
    def output_type(self) -> pa.DataType:
        """The type of what other features get of this one."""
        return self.operator.output_type if self.end is None else self.end.output_type

    def output(self, *columns: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Returns what other features get of this one, `[B]`."""
        values = self._values(columns)
        return values if self.end is None else self.end.output(values)

    def _values(self, columns: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
        try:
            return self.operator.apply([arrow_types.as_array(column) for column in columns])
        except RowValueError as error:
            raise RowError(self._message(error), error.row) from None
        except ValueError as error:
            raise DataError(self._message(error)) from None

    def _message(self, error: ValueError) -> str:
        several = "columns" if len(self.columns) > 1 else "column"
        return f"feature {self.name}, {several} {self.column}: {error}"
