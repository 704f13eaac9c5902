"""The labels of a first config: their kinds, and what trains and scores them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from raymon.data import ColumnProfile, LabelKind, TableSample, ValueKind, profile_column
from raymon.errors import ConfigError, DataError

_CLASSES = 100


@dataclass(frozen=True)
class Label:
    """A label.

    Attributes:
        name: Column of the label.
        kind: Kind of the label.
        values: Values of the sample, as the model learns them, float64 `[N]`.
        about: What the values are like, in words.
        classes: Number of classes of a CLASS label.
        mapping: Number of each value that is no number of its kind.
    """

    name: str
    kind: LabelKind
    values: NDArray[np.float64]
    about: str
    classes: int = 1
    mapping: Mapping[str, int] = field(default_factory=dict)


def find_labels(sample: TableSample, names: Sequence[str], path: str) -> list[Label]:
    """Returns the labels in columns of a sample.

    Args:
        sample: The sample.
        names: Columns of the labels.
        path: Path of the data, for messages.

    Raises:
        DataError: A column is not there, or its values are no labels.
    """
    there = sample.table.column_names
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(there[:20])}"
            more = f" and {len(there) - 20} more" if not near and len(there) > 20 else ""
            only = "in some files alone" if name in sample.partial else "not there"
            raise DataError(f"{path}: --label {name}: is {only}; {hint}{more}")
    labels = [_label(sample.table[name], name, path) for name in dict.fromkeys(names)]
    mappings = [label for label in labels if label.mapping]
    if len(mappings) > 1 and any(m.mapping != mappings[0].mapping for m in mappings):
        raise ConfigError(
            f"{path}: --label: {mappings[0].name} and {mappings[1].name} have values that are no "
            "numbers, and data_config.label_map is one for all labels; write 0 and 1 in place of "
            "them"
        )
    return labels


def _label(column: pa.ChunkedArray, name: str, path: str) -> Label:
    profile = profile_column(name, column, len(column))
    where = f"{path}: --label {name}"
    if profile.lengths is not None or profile.kind not in (ValueKind.NUMBER, ValueKind.TEXT):
        raise DataError(f"{where}: is {column.type}; a label is a number or one of few strings")
    if profile.nulls:
        raise DataError(
            f"{where}: {profile.nulls:,} of {profile.rows:,} rows have no value; leave such rows "
            "out of the data"
        )
    if profile.cardinality.seen == 1:
        raise DataError(
            f"{where}: is {profile.common[0][0]} in every row, so there is nothing to learn"
        )
    if profile.kind is ValueKind.TEXT:
        return _of_texts(column, name, profile, where)
    values = column.cast(pa.float64() if not pa.types.is_boolean(column.type) else pa.int8())
    numbers = values.cast(pa.float64()).to_numpy()
    if not np.isfinite(numbers).all():
        raise DataError(f"{where}: has values that are not finite; leave such rows out of the data")
    found = np.unique(numbers)
    if len(found) == 2:
        if found.tolist() == [0, 1]:
            share = f"{numbers.mean():.3g} of the rows are 1"
            return Label(name, LabelKind.BINARY, numbers, f"two classes, {share}")
        low, high = profile_text(found[0]), profile_text(found[1])
        binary = (numbers == found[1]).astype(np.float64)
        return Label(
            name,
            LabelKind.BINARY,
            binary,
            f"two values, {low} and {high}",
            mapping={low: 0, high: 1},
        )
    whole = bool((found == np.floor(found)).all())
    if whole and len(found) <= _CLASSES and found[0] == 0 and found[-1] == len(found) - 1:
        about = f"{len(found)} classes, 0 to {len(found) - 1}"
        return Label(name, LabelKind.CLASS, numbers, about, len(found))
    about = f"a number from {found[0]:.6g} to {found[-1]:.6g}, {numbers.mean():.4g} in the mean"
    return Label(name, LabelKind.REAL, numbers, about)


def _of_texts(column: pa.ChunkedArray, name: str, profile: ColumnProfile, where: str) -> Label:
    texts = sorted(text for text, _ in profile.common)
    if profile.cardinality.seen > _CLASSES:
        raise DataError(
            f"{where}: has {profile.cardinality.seen:,} different strings; a label is a number or "
            f"one of at most {_CLASSES} strings"
        )
    mapping = {text: number for number, text in enumerate(texts)}
    values = np.array([mapping[text] for text in column.to_pylist()], np.float64)
    listed = ", ".join(texts[:5]) + (", ..." if len(texts) > 5 else "")
    kind = LabelKind.BINARY if len(texts) == 2 else LabelKind.CLASS
    return Label(name, kind, values, f"{len(texts)} strings: {listed}", len(texts), mapping)


def profile_text(number: float) -> str:
    """Returns a number as a label map spells it."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))
