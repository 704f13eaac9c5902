"""Columns that say what the label is, as those do that are known only after it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from raymon.data import ColumnProfile, LabelKind, ValueKind
from raymon.init.labels import Label
from raymon.init.names import is_known_afterwards

_AUC = 0.95
_CORRELATION = 0.98
_PURE = 0.95
_ROWS = 100
_FEW = 50


def why_leak(column: pa.ChunkedArray, profile: ColumnProfile, label: Label) -> str | None:
    """Returns why a column is likely known only after the label; None if nothing says so.

    Args:
        column: Values of the column in the sample.
        profile: What they are like.
        label: Label of the same rows.
    """
    if profile.lengths is None and profile.separator is None:
        scores = _scores(column, profile, label)
        if scores is not None:
            why = _by_scores(scores, label) or _by_one_side(scores, profile, label)
            if why is not None:
                return why
    if is_known_afterwards(profile.name):
        return "by its name it is known only after the row was shown"
    return None


def _scores(
    column: pa.ChunkedArray, profile: ColumnProfile, label: Label
) -> NDArray[np.float64] | None:
    """Returns a number for each row by which the label may be ordered; None if there is none."""
    if profile.kind is ValueKind.NUMBER:
        numbers = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
        values = numbers.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        least = float(np.nanmin(values)) - 1
        ordered: NDArray[np.float64] = np.nan_to_num(values, True, least, 1e300, -1e300)
        return ordered
    if profile.kind is ValueKind.TEXT and profile.cardinality.seen <= _FEW:
        # Each value stands for the mean of the label over its rows.
        codes = column.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()
        codes = codes.astype(np.int64) + 1
        means = np.bincount(codes, label.values) / np.maximum(np.bincount(codes), 1)
        found: NDArray[np.float64] = means[codes]
        return found
    return None


def _by_scores(scores: NDArray[np.float64], label: Label) -> str | None:
    if label.kind is LabelKind.BINARY:
        auc = area(scores, label.values > 0.5)
        if max(auc, 1 - auc) >= _AUC:
            how = "perfectly" if max(auc, 1 - auc) > 1 - 1e-9 else "nearly"
            return f"it predicts {label.name} {how} by itself (AUC {max(auc, 1 - auc):.4f})"
        return None
    ranks, others = (_ranks(values) for values in (scores, label.values))
    if ranks.std() and abs(np.corrcoef(ranks, others)[0, 1]) >= _CORRELATION:
        return f"it orders the rows as {label.name} does"
    return None


def _by_one_side(scores: NDArray[np.float64], profile: ColumnProfile, label: Label) -> str | None:
    """Returns a reason if a mark, which few rows have, nearly always means a positive."""
    if label.kind is not LabelKind.BINARY or profile.kind is not ValueKind.NUMBER:
        return None
    least = scores.min()
    marked = scores > least
    is_mark = profile.cardinality.seen == 2 or marked.mean() < 0.2
    base = label.values.mean()
    if not is_mark or marked.sum() < _ROWS or base > 0.8:
        return None
    share = float(label.values[marked].mean())
    if share < _PURE:
        return None
    return f"where it is above {least:g}, {label.name} is 1 in {share:.1%} of the rows"


def area(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Returns the area under the ROC curve of scores `[N]`; pairs of equal scores count half."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return 0.5
    ranks = _ranks(scores)
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / positives / negatives)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the rank of each value from 1 on, equal ones sharing their mean, `[N]`."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: NDArray[np.float64] = (last - (counts - 1) / 2)[place]
    return means
