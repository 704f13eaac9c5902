"""Labels: what values a loss can learn from."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt


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
