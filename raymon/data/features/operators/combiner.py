"""What becomes of several numbers of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from raymon.data.features.operators.rows import Floats, Ints, lists_of, starts_of

_REDUCED: Mapping[str, Callable[[Floats, Ints], Floats]] = {
    "sum": np.add.reduceat,
    "mean": np.add.reduceat,
    "min": np.minimum.reduceat,
    "max": np.maximum.reduceat,
}

COMBINERS = (*_REDUCED, "count", "")
"""Names of combiners; with "" the numbers stay several."""


def combined(numbers: Floats, lengths: Ints, combiner: str) -> pa.Array:
    """Returns one number a row, null where there is none; lists of numbers for the combiner "".

    Args:
        numbers: Numbers of all rows, float64 `[N]`.
        lengths: How many each row has, int64 `[B]`.
        combiner: One of `COMBINERS`.
    """
    if combiner == "":
        return lists_of(pa.array(numbers), lengths)
    has = lengths > 0
    results = np.zeros(len(lengths))
    if combiner == "count":
        results = lengths.astype(np.float64)
    elif len(numbers) == len(lengths) and has.all():
        results = numbers
    elif has.any():
        results[has] = _REDUCED[combiner](numbers, starts_of(lengths)[has])
        if combiner == "mean":
            results[has] /= lengths[has]
    return pa.array(results, mask=~has)
