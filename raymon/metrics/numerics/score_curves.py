"""What plots show of an evaluation, of the counts of both classes by score."""

from __future__ import annotations

from raymon.metrics.numerics.class_counts import Array, ClassCounts
from raymon.metrics.numerics.curve_points import candidates, main_part, pr_points, roc_points
from raymon.metrics.numerics.score_parts import DIGITS, calibration, scores_by_class
from raymon.results import ScoreCurves, short


def score_curves(counts: ClassCounts) -> ScoreCurves | None:
    """Returns the curves of the counts, a function of these alone; None if nothing weighs anything.

    Args:
        counts: Counts of both classes by score.
    """
    if not counts.negatives + counts.positives:
        return None
    edges, negative, positive = scores_by_class(counts)
    predicted, observed, weight = calibration(counts)
    at = candidates(counts)
    false_rate, true_rate = main_part(*roc_points(counts, at))
    recall, precision = main_part(*pr_points(counts, at))
    return ScoreCurves(
        edges.tolist(),
        *map(_exact, (negative, positive, predicted, observed, weight)),
        *map(_short, (false_rate, true_rate, recall, precision)),
    )


def _exact(numbers: Array) -> list[float]:
    # Whole numbers keep all of their digits.
    return [n if n.is_integer() else short(n, DIGITS) for n in numbers.tolist()]


def _short(rates: Array) -> list[float]:
    return [short(rate) for rate in rates.tolist()]
