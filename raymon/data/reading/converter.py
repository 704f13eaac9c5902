"""Converts tables to the tensors of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import Positions
from raymon.data.features.feature import Feature
from raymon.data.features.row_error import RowError
from raymon.data.features.sequence_feature import SequenceFeature
from raymon.data.input_counts import InputCounts
from raymon.data.reading.packed_rows import PackedRows, Places
from raymon.data.values.arrow_types import as_float64
from raymon.data.values.hashing import key_ids
from raymon.data.values.labels import LabelKind, label_numbers
from raymon.errors import DataError


@dataclass(frozen=True)
class Columns:
    """The columns of the data that are read, and what is made of each.

    Attributes:
        features: Features to make of the columns.
        labels: Kinds of values of labels, by column.
        weights: Columns of sample weights, which are finite and not negative.
        keys: Columns of grouping keys.
        num_class: Number of classes of labels of kind CLASS, by column, where it is checked.
        label_map: Numbers of labels, by value; strings are labels only if they are in it.
        alike: Features that a model takes together: as sequences they have as many positions, as
            have those of one `sequence_feature`.
    """

    features: Sequence[Feature]
    labels: Mapping[str, LabelKind]
    weights: Sequence[str] = ()
    keys: Sequence[str] = ()
    num_class: Mapping[str, int] = field(default_factory=dict)
    label_map: Mapping[str, float] = field(default_factory=dict)
    alike: Sequence[Sequence[str]] = ()

    @property
    def aligned(self) -> list[list[str]]:
        """Sequence features whose rows have as many positions, two or more together."""
        sequences: dict[str, list[str]] = {}
        for feature in self.features:
            if isinstance(feature, SequenceFeature) and feature.sequence:
                sequences.setdefault(feature.sequence, []).append(feature.name)
        there = {feature.name for feature in self.features if feature.is_sequence}
        groups = [[name for name in names if name in there] for names in self.alike]
        return [names for names in (*sequences.values(), *groups) if len(names) > 1]

    @property
    def names(self) -> list[str]:
        """All columns that are used, each once."""
        of_features = [column for feature in self.features for column in feature.columns]
        return list(dict.fromkeys([*of_features, *self.labels, *self.weights, *self.keys]))

    @property
    def categorical(self) -> list[str]:
        """The columns whose values become ids, each once."""
        of_features = [u.column for f in self.features for u in f.uses if not u.from_numbers]
        return list(dict.fromkeys([*of_features, *self.keys]))

    @property
    def numeric(self) -> list[str]:
        """The columns whose values become numbers, each once."""
        of_features = [u.column for f in self.features for u in f.uses if u.from_numbers]
        return list(dict.fromkeys([*of_features, *self.labels, *self.weights]))


@dataclass(frozen=True)
class Origin:
    """The place that the rows of a table come from, for messages.

    Attributes:
        name: Name of the file, or of another source.
        first_row: Index of the first row there.
        row_group: Index of the row group that holds the rows; None if there is none.
    """

    name: str
    first_row: int
    row_group: int | None = None

    def __str__(self) -> str:
        return self.name if self.row_group is None else f"{self.name}: row group {self.row_group}"


class Converter:
    """Checks the values of tables, and makes the tensors of a batch of them.

    Args:
        columns: Columns of the tables.
        counts: Counts of what is wrong but does not stop the run.
    """

    def __init__(self, columns: Columns, counts: InputCounts) -> None:
        self._columns = columns
        self._counts = counts
        self._aligned = columns.aligned
        features = columns.features
        self._places = Places.of(
            [f.name for f in features if not f.is_sparse and not f.is_sequence],
            list(columns.labels),
            columns.weights,
            [f.name for f in features if f.is_sparse and not f.is_sequence],
            columns.keys,
            [feature.name for feature in features if feature.has_lists],
            {feature.name: feature.value_dim for feature in features if feature.is_sequence},
        )

    def gap(self, rows: int) -> PackedRows:
        """Returns placeholders of rows that are left out: they keep their places, in no batch."""
        return self._places.gap(rows)

    def convert(self, table: pa.Table, origin: Origin) -> PackedRows:
        """Returns the rows of a table. Any thread may call it.

        Raises:
            DataError: A label, a weight or a value of a feature is wrong.
        """
        columns, places = self._columns, self._places
        rows = places.empty(len(table))
        for name, kind in columns.labels.items():
            values = label_numbers(table[name], columns.label_map)
            num_class = columns.num_class.get(name)
            requirement = f"a label must be {kind.requirement(num_class)}"
            if columns.label_map:
                requirement += ", or in data_config.label_map as one of them"
            valid = kind.valid(values, num_class)
            _check_rows(table, origin, name, valid, requirement)
            rows.reals[places.labels[name]] = values
        for name in columns.weights:
            values = as_float64(table[name])
            valid = (values >= 0) & (values <= np.finfo(np.float32).max)
            requirement = "a weight must be finite and not negative"
            _check_rows(table, origin, name, valid, requirement)
            rows.reals[places.weights[name]] = values
        for feature in columns.features:
            try:
                arrays = (table[column] for column in feature.columns)
                if isinstance(feature, SequenceFeature):
                    positions = feature.positions(*arrays, counts=self._counts)
                    rows.sequences[feature.name] = positions
                    continue
                value = feature.convert_into(
                    rows.place_of(feature.name), *arrays, counts=self._counts
                )
            except RowError as error:
                row = origin.first_row + error.row
                raise DataError(f"{origin.name}: row {row}: {error}") from None
            except DataError as error:
                raise DataError(f"{origin}: {error}") from None
            if isinstance(value, torch.Tensor):
                rows.wide[feature.name] = value.numpy()
            elif value is not None:
                rows.ragged[feature.name] = value
        for names in self._aligned:
            _check_lengths({name: rows.sequences[name] for name in names}, origin)
        for name in columns.keys:
            try:
                rows.integers[places.keys[name]] = key_ids(table[name]).numpy()
            except ValueError as error:
                raise DataError(f"{origin}: grouping key {name}: value {error}") from None
        return rows


def _check_rows(
    table: pa.Table, origin: Origin, column: str, valid: npt.NDArray[np.bool_], requirement: str
) -> None:
    if not valid.all():
        row = int(np.argmin(valid))
        raise DataError(
            f"{origin.name}: column {column}, row {origin.first_row + row}: value "
            f"{table[column][row].as_py()!r}; {requirement}"
        )


def _check_lengths(sequences: Mapping[str, Positions], origin: Origin) -> None:
    (first, one), *others = sequences.items()
    for name, other in others:
        lengths = one.lengths(), other.lengths()
        if (lengths[0] != lengths[1]).any():
            row = int(np.argmax(lengths[0] != lengths[1]))
            raise DataError(
                f"{origin.name}: feature {name}, row {origin.first_row + row}: has "
                f"{lengths[1][row]} positions, and {first} {lengths[0][row]}; features of one "
                "sequence must have equally many"
            )
