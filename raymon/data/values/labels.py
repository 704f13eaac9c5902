"""Labels: the values that a loss can learn from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.values.arrow_types import as_array, as_float64, is_string
from raymon.data.values.canonical import canonical_text, canonical_texts


class LabelKind(StrEnum):
    """The kind of values that a label has."""

    BINARY = "binary"
    CLASS = "class"
    REAL = "real"

    def requirement(self, num_class: int | None = None) -> str:
        """Returns what a value must be, in words for a message."""
        if self is LabelKind.BINARY:
            return "0 or 1"
        if self is LabelKind.CLASS:
            return "an integer from 0" + (f" to {num_class - 1}" if num_class else "")
        return "a finite number"

    def valid(
        self, values: npt.NDArray[np.float64], num_class: int | None = None
    ) -> npt.NDArray[np.bool_]:
        """Returns which values are of this kind.

        Args:
            values: Labels, float64 `[B]`; a missing label is NaN, which is of no kind.
            num_class: Number of classes of a CLASS label; None if unknown.

        Returns:
            A mask, bool `[B]`.
        """
        valid: npt.NDArray[np.bool_]
        if self is LabelKind.BINARY:
            valid = (values == 0) | (values == 1)
        elif self is LabelKind.CLASS:
            below = values < (np.inf if num_class is None else num_class)
            valid = (values >= 0) & (values == np.floor(values)) & below
        else:
            valid = np.abs(values) <= np.finfo(np.float32).max
        return valid


def check_label_map(label_map: Mapping[str, float]) -> None:
    """Checks that a value is listed once, however it is spelled.

    Raises:
        ValueError: It is listed twice with different numbers.
    """
    spelled: dict[str, str] = {}
    for text, number in label_map.items():
        first = spelled.setdefault(canonical_text(text), text)
        if label_map[first] != number:
            raise ValueError(f'"{first}" and "{text}" are the same value; give it one number')


def label_numbers(
    column: pa.Array | pa.ChunkedArray, label_map: Mapping[str, float]
) -> npt.NDArray[np.float64]:
    """Returns the numbers of labels.

    Args:
        column: Numbers, booleans or strings, `[B]`.
        label_map: Number of each listed value; a number that is not listed is itself, also if a
            string spells it.

    Returns:
        The numbers, float64 `[B]`; NaN where a label is missing, or another string that is not
        listed.
    """
    values = as_array(column)
    listed = {canonical_text(text): number for text, number in label_map.items()}
    if is_string(values.type):
        entries = canonical_texts(values).dictionary_encode()
        numbers = [listed.get(t, _spelled(t)) for t in entries.dictionary.to_pylist()]
        places = entries.indices.fill_null(len(numbers)).to_numpy(zero_copy_only=False)
        taken: npt.NDArray[np.float64] = np.array([*numbers, np.nan])[places]
        return taken
    given = as_float64(values)
    if not listed:
        return given
    mapped = given.copy()
    for text, number in listed.items():
        try:
            mapped[given == float(text)] = number
        except ValueError:
            continue
    return mapped


def _spelled(text: str) -> float:
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
