"""What the plots of an evaluation show of the scores of a binary label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ScoreCurves:
    """The scores by class, calibration, ROC and precision-recall curve of the rows of all ranks.

    Weights are sums of sample weights, or numbers of rows where there are none. A part that has no
    value, as the ROC curve of one class alone, is empty.

    Attributes:
        edges: Edges of the bins of scores, ascending `[n + 1]`; the last bin has its upper edge.
        negative: Weight of the negatives in each bin, `[n]`.
        positive: Weight of the positives in each bin, `[n]`.
        predicted: Mean score of the rows of each bin of calibration, ascending `[m]`. Bins have
            about equal weight; rows of one score are in one bin, so that there are fewer bins where
            many rows have the same score.
        observed: Share of positives in each of these bins, by weight, `[m]`.
        weight: Weight of each of these bins, `[m]`.
        false_positive_rate: The ROC curve, from (0, 0) to (1, 1); its points that matter to its
            shape `[r]`.
        true_positive_rate: The same, `[r]`.
        recall: The precision-recall curve, from the highest score on; its points that matter to its
            shape `[p]`.
        precision: The same, `[p]`.
    """

    edges: Sequence[float] = ()
    negative: Sequence[float] = ()
    positive: Sequence[float] = ()
    predicted: Sequence[float] = ()
    observed: Sequence[float] = ()
    weight: Sequence[float] = ()
    false_positive_rate: Sequence[float] = ()
    true_positive_rate: Sequence[float] = ()
    recall: Sequence[float] = ()
    precision: Sequence[float] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the object of a metric in a line of `monitor/evaluations.jsonl`."""
        return {
            "scores": {
                "edges": list(self.edges),
                "negative": _numbers(self.negative),
                "positive": _numbers(self.positive),
            },
            "calibration": {
                "predicted": list(self.predicted),
                "observed": list(self.observed),
                "weight": _numbers(self.weight),
            },
            "roc": {
                "false_positive_rate": list(self.false_positive_rate),
                "true_positive_rate": list(self.true_positive_rate),
            },
            "pr": {"recall": list(self.recall), "precision": list(self.precision)},
        }


def short(value: float, digits: int = 6) -> float:
    """Returns a number with a few digits; a float32 keeps six."""
    return float(f"{value:.{digits}g}")


def _numbers(weights: Sequence[float]) -> list[float]:
    """Returns weights, whole ones as integers, which are shorter."""
    return [int(weight) if float(weight).is_integer() else weight for weight in weights]
