"""Numbers as JSON has them: null for those without a value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_EXACT = 2**53
"""Whole numbers below it are exact in JavaScript."""


def number(value: Any) -> float | None:
    """Returns a finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def numbers(value: Any) -> dict[str, float | None]:
    """Returns numbers by name; without what is no number or null."""
    if not isinstance(value, dict):
        return {}
    return {
        str(name): number(each)
        for name, each in value.items()
        if each is None or (isinstance(each, int | float) and not isinstance(each, bool))
    }


def listed(values: NDArray[Any]) -> list[Any]:
    """Returns an array of any shape as nested lists; whole numbers have no fraction."""
    found = np.asarray(values, np.float64)
    is_finite = np.isfinite(found)
    known = found[is_finite]
    is_whole = bool((known == np.rint(known)).all() and (np.abs(known) < _MOST_EXACT).all())
    if is_finite.all():
        return list((found.astype(np.int64) if is_whole else found).tolist())
    boxed = np.full(found.shape, None, object)
    boxed[is_finite] = known.astype(np.int64 if is_whole else np.float64).tolist()
    return list(boxed.tolist())


def significant(values: NDArray[Any], digits: int = 4) -> list[Any]:
    """Returns an array of any shape as nested lists, with so many digits of each number."""
    found = np.asarray(values, np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponent = np.floor(np.log10(np.abs(found)))
        scale = 10.0 ** (digits - 1 - np.where(np.isfinite(exponent), exponent, 0))
        return listed(np.round(found * scale) / scale)
