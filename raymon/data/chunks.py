"""Row ranges to tensors, a piece at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import IdList
from raymon.data.columns import as_float64
from raymon.data.feature import Feature
from raymon.data.hashing import key_ids
from raymon.data.input_counts import InputCounts
from raymon.data.labels import LabelKind
from raymon.data.order import RowRange
from raymon.data.packed import PackedRows, Places
from raymon.errors import DataError

_log = logging.getLogger("raymon")

CHUNK_ROWS = 1 << 15
"""Rows that are decoded and converted together, so that calls cost little and memory is bounded."""


@dataclass(frozen=True)
class Decoded:
    """Rows of a row group.

    Attributes:
        part: that they are of.
        begin: where in the row group they begin.
        table: the rows; None: the rest of the part cannot be read.
    """

    part: RowRange
    begin: int
    table: pa.Table | None


@dataclass(frozen=True)
class Converted:
    """Rows, and what is wrong with the row behind them, if anything is."""

    rows: PackedRows
    error: DataError | None = None


class ChunkReader:
    """Decodes row ranges, checks what is in them, and makes the tensors of a batch of them.

    Args:
        features: what to make of the columns.
        labels: by column, what its values must be.
        weights: columns of sample weights, finite and not negative.
        keys: columns of grouping keys.
        num_class: number of classes of a label of kind CLASS; None: not checked.
        skip_bad_files: what cannot be read is left out and counted.

    Attributes:
        counts: what was wrong and is only counted.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        labels: Mapping[str, LabelKind],
        weights: Sequence[str],
        keys: Sequence[str],
        num_class: int | None,
        skip_bad_files: bool = False,
    ) -> None:
        self.counts = InputCounts()
        self._skip_bad_files = skip_bad_files
        self._features = list(features)
        self._labels = dict(labels)
        self._weights = list(weights)
        self._keys = list(keys)
        self._num_class = num_class
        of_features = [column for feature in self._features for column in feature.columns]
        used = [*of_features, *self._labels, *self._weights, *self._keys]
        self.columns = list(dict.fromkeys(used))
        categorical = [c for f in self._features if f.is_sparse for c in f.columns] + self._keys
        self._categorical = list(dict.fromkeys(categorical))
        self._places = Places.of(
            [f.name for f in self._features if not f.is_sparse],
            list(labels),
            weights,
            [f.name for f in self._features if f.is_sparse],
            keys,
        )

    def decode(self, ranges: Iterable[RowRange]) -> Iterator[Decoded]:
        """The rows of some ranges, in pieces of at most twice `CHUNK_ROWS`.

        Raises:
            DataError: a file cannot be read.
        """
        for part in ranges:
            done = part.start
            try:
                for begin, table in part.file.read(
                    part.row_group,
                    part.start,
                    part.stop,
                    self.columns,
                    self._categorical,
                    CHUNK_ROWS,
                ):
                    yield Decoded(part, begin, table)
                    done = begin + len(table)
            except DataError as error:
                if not self._skip_bad_files:
                    raise
                _log.warning("%s; %s rows are left out", error, part.stop - done)
                self.counts.add("rows that cannot be read", part.stop - done)
                yield Decoded(part, done, None)

    def convert(self, decoded: Decoded) -> Converted:
        """The rows of a piece up to the first that is wrong. It may be called by any thread."""
        part, begin, table = decoded.part, decoded.begin, decoded.table
        if table is None:
            return Converted(self._places.gap(part.stop - begin))
        try:
            return Converted(self._convert(part, begin, table))
        except DataError as error:
            good, bad = 0, len(table)
            while bad - good > 1:
                middle = (good + bad) // 2
                try:
                    self._convert(part, begin, table.slice(0, middle))
                except DataError:
                    bad = middle
                else:
                    good = middle
            return Converted(self._convert(part, begin, table.slice(0, good)), error)

    def empty(self, part: RowRange) -> PackedRows:
        """What there is without rows.

        Args:
            part: of a file with the columns.
        """
        schema = pa.schema([part.file.schema.field(name) for name in self.columns])
        return self._convert(part, 0, schema.empty_table())

    def _convert(self, part: RowRange, begin: int, table: pa.Table) -> PackedRows:
        places = self._places
        rows = places.empty(len(table))
        for name, kind in self._labels.items():
            values = as_float64(table[name])
            requirement = f"a label must be {kind.requirement(self._num_class)}"
            valid = kind.valid(values, self._num_class)
            _check_rows(part, begin, table, name, valid, requirement)
            rows.reals[places.labels[name]] = values
        for name in self._weights:
            values = as_float64(table[name])
            valid = (values >= 0) & (values <= np.finfo(np.float32).max)
            requirement = "a weight must be finite and not negative"
            _check_rows(part, begin, table, name, valid, requirement)
            rows.reals[places.weights[name]] = values
        for feature in self._features:
            try:
                arrays = (table[column] for column in feature.columns)
                value = feature.convert(*arrays, counts=self.counts)
            except DataError as error:
                where = f"{part.file.path}: row group {part.row_group}"
                raise DataError(f"{where}: {error}") from None
            self._put(rows, feature.name, value)
        for name in self._keys:
            rows.integers[places.keys[name]] = key_ids(table[name]).numpy()
        return rows

    def _put(self, rows: PackedRows, name: str, value: IdList | torch.Tensor) -> None:
        if isinstance(value, torch.Tensor):
            if value.shape[1] == 1:
                rows.reals[self._places.dense[name]] = value[:, 0].numpy()
            else:
                rows.wide[name] = value.numpy()
        elif value.offsets is None and value.weights is None:
            rows.integers[self._places.sparse[name]] = value.values.numpy()
        else:
            rows.ragged[name] = value


def _check_rows(
    part: RowRange,
    begin: int,
    table: pa.Table,
    column: str,
    valid: npt.NDArray[np.bool_],
    requirement: str,
) -> None:
    if not valid.all():
        row = int(np.argmin(valid))
        raise DataError(
            f"{part.file.path}: column {column}, row {part.first_row + begin + row}: value "
            f"{table[column][row].as_py()!r}; {requirement}"
        )
