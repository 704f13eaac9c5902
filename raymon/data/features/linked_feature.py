"""Features that are made of what other features make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import IdList
from raymon.data.features.feature import ColumnUse, Feature
from raymon.data.features.vocabulary import Vocabulary
from raymon.data.input_counts import InputCounts


@dataclass(frozen=True)
class Constant:
    """A text that stands in all rows, in place of a column."""

    text: str


@dataclass(frozen=True)
class LinkedFeature(Feature):
    """A feature of which some columns are what other features make.

    Attributes:
        columns: All columns that are needed, by the feature and by those it is made of.
        inner: The feature, as if all of its columns were raw.
        sources: What each column of `inner` is: a raw column by name, a feature, or a constant.
    """

    inner: Feature
    sources: tuple[str | Feature | Constant, ...]

    @property
    def is_hashed(self) -> bool:
        """Whether its ids are hashes of values, modulo the rows of the table."""
        return self.inner.is_hashed

    @property
    def has_lists(self) -> bool:
        """Whether rows are expected to have several ids, or ids with weights."""
        return self.inner.has_lists

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The vocabulary of its values; None if there is none."""
        return getattr(self.inner, "vocabulary", None)

    @property
    def uses(self) -> tuple[ColumnUse, ...]:
        """What is made of each raw column, by the feature and by those it is made of."""
        uses: list[ColumnUse] = []
        for use, source in zip(self.inner.uses, self.sources, strict=True):
            if isinstance(source, Feature):
                uses += source.uses
            elif isinstance(source, str):
                uses.append(use)
        return tuple(uses)

    @property
    def accepted_types(self) -> str:
        """The accepted types, in words for a message."""
        return self.inner.accepted_types

    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether the inner feature accepts the type."""
        return self.inner.accepts(column_type)

    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList | torch.Tensor:
        """Returns the feature of the rows."""
        return self.inner.convert(*self._inputs(columns), counts=counts)

    def convert_into(
        self,
        out: npt.NDArray[Any],
        *columns: pa.Array | pa.ChunkedArray,
        counts: InputCounts | None = None,
    ) -> IdList | torch.Tensor | None:
        """Converts into given memory, if every row has exactly one id or one number."""
        return self.inner.convert_into(out, *self._inputs(columns), counts=counts)

    @property
    def output_type(self) -> pa.DataType:
        """The type of what other features get of this one."""
        return self.inner.output_type

    def output(self, *columns: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Returns what other features get of this one, `[B]`."""
        return self.inner.output(*self._inputs(columns))

    def _inputs(
        self, columns: Sequence[pa.Array | pa.ChunkedArray]
    ) -> list[pa.Array | pa.ChunkedArray]:
        by_name = dict(zip(self.columns, columns, strict=True))
        inputs = []
        for source in self.sources:
            if isinstance(source, Feature):
                inputs.append(source.output(*(by_name[column] for column in source.columns)))
            elif isinstance(source, Constant):
                inputs.append(pa.repeat(source.text, len(columns[0])))
            else:
                inputs.append(by_name[source])
        return inputs
