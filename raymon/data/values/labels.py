"""Labels: what values a loss can learn from."""

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
    """What the values of a label must be."""

    BINARY = "binary"
    CLASS = "class"
    REAL = "real"

    def requirement(self, num_class: int | None = None) -> str:
        """What a value must be, in words for a message."""
        if self is LabelKind.BINARY:
            return "0 or 1"
        if self is LabelKind.CLASS:
            return "an integer from 0" + (f" to {num_class - 1}" if num_class else "")
        return "a finite number"

    def valid(
        self, values: npt.NDArray[np.float64], num_class: int | None = None
    ) -> npt.NDArray[np.bool_]:
        """Which values are of this kind.

        Args:
            values: float64 `[B]`; a missing label is NaN, which is of no kind.
            num_class: number of classes that a CLASS label has; None: unknown.

        Returns:
            bool `[B]`.
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
        ValueError: it is listed twice with other numbers.
    """
    spelled: dict[str, str] = {}
    for text, number in label_map.items():
        first = spelled.setdefault(canonical_text(text), text)
        if label_map[first] != number:
            raise ValueError(f'"{first}" and "{text}" are the same value; give it one number')


def label_numbers(
    column: pa.Array | pa.ChunkedArray, label_map: Mapping[str, float]
) -> npt.NDArray[np.float64]:
    """The numbers of labels.

    Args:
        column: `[B]`, numbers, booleans or strings.
        label_map: the number of a value that is listed; a number that is not listed is itself, also
            where a string spells it.

    Returns:
        float64 `[B]`; NaN where a label is missing, or another string that is not listed.
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
