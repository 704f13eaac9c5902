"""Standard errors of the scores of one evaluation, from its curves.

They say how far a score would be off for another sample of rows from the same source. The error
from training again, with another seed, is not in them. Rows are taken as independent: where many
are of the same user or page, the true errors are larger.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LOSSES = ("loss", "cross_entropy")
"""What is in the names of scores that may be a cross-entropy."""

_AUC_OFF = 0.005
_LOSS_OFF = 0.01
"""Largest error, relative for a loss, of a score by the curves, above which they are no curves
of it."""


def score_error(record: Mapping[str, Any], name: str) -> float | None:
    """Returns the standard error of a score; None if its evaluation does not tell it.

    It is known of an area under the ROC curve, and of a cross-entropy of two classes, of rows that
    all weigh the same.

    Args:
        record: The line of an evaluation in `monitor/evaluations.jsonl`.
        name: Name of the metric.
    """
    try:
        value = float(record["metrics"][name])
        curves = record["curves"]
        if name in curves:
            found = auc_error(curves[name], value)
            if found is not None:
                return found
        if not any(word in name for word in _LOSSES):
            return None
        errors = (cross_entropy_error(each, value) for each in curves.values())
        return next((error for error in errors if error is not None), None)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        # It was written by another version, or not to its end.
        return None


def auc_error(curves: Mapping[str, Any], value: float) -> float | None:
    """Returns the standard error of an area under the ROC curve by the points of the curve.

    It is the one of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, equations 5 and 6: the
    variance over the positives of the share of negatives that each is above, by their number, and
    the same the other way round. Scores between two points of the curve count as tied.

    Args:
        curves: Curves of the metric, with `roc` and `scores`.
        value: The area as it was measured.

    Returns:
        None if they are the curves of another score, or there are fewer than two of a class.
    """
    false_rates, true_rates = _rates(curves["roc"])
    negatives, positives = (float(_array(curves["scores"], n).sum()) for n in _CLASSES)
    if min(negatives, positives) < 2:
        return None
    of_positives, of_negatives = np.diff(true_rates), np.diff(false_rates)
    above = 1 - (false_rates[1:] + false_rates[:-1]) / 2
    below = (true_rates[1:] + true_rates[:-1]) / 2
    area = float(of_positives @ above)
    if not abs(area - value) <= _AUC_OFF:
        return None
    variance = float(of_positives @ (above - area) ** 2) / (positives - 1)
    variance += float(of_negatives @ (below - area) ** 2) / (negatives - 1)
    return math.sqrt(variance) if variance > 0 else None


def cross_entropy_error(curves: Mapping[str, Any], value: float) -> float | None:
    """Returns the standard error of a mean cross-entropy of two classes.

    It is the standard deviation of the losses of rows by the square root of their number, where the
    rows of a group of the calibration curve have its mean prediction.

    Args:
        curves: Curves of a metric, with `calibration`.
        value: The mean, as it was measured.

    Returns:
        None if they are the curves of another score.
    """
    found = curves["calibration"]
    predicted = np.clip(_array(found, "predicted"), 1e-12, 1 - 1e-12)
    observed, weight = _array(found, "observed"), _array(found, "weight")
    rows = float(weight.sum())
    if rows < 2:
        return None
    shares = weight / rows
    hit, miss = -np.log(predicted), -np.log1p(-predicted)
    mean = float(shares @ (observed * hit + (1 - observed) * miss))
    if not abs(mean - value) <= _LOSS_OFF * abs(value):
        return None
    square = float(shares @ (observed * hit**2 + (1 - observed) * miss**2))
    variance = max(0.0, square - mean**2) / rows
    return math.sqrt(variance) if variance > 0 else None


_CLASSES = ("negative", "positive")


def mean_error(values: NDArray[np.float64]) -> float | None:
    """Returns the standard error of a mean of windows: their standard deviation by the root of N.

    It takes windows as independent, which they are as far as they have different rows. A trend in
    them makes it larger.

    Args:
        values: Values of the windows, `[N]`.
    """
    if len(values) < 2:
        return None
    return float(values.std(ddof=1) / math.sqrt(len(values)))


def _rates(roc: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rates = [_array(roc, name) for name in ("false_positive_rate", "true_positive_rate")]
    # From (0, 0) to (1, 1), whichever of the two the curve has.
    both = [np.concatenate([[0.0], rate, [1.0]]) for rate in rates]
    return both[0], both[1]


def _array(found: Mapping[str, Sequence[float]], name: str) -> NDArray[np.float64]:
    return np.asarray(found[name], np.float64)
