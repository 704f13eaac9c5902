"""Standard errors are those of the rows, by the definition of their source and by drawing again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from raymon.runs.comparing.standard_errors import (
    auc_error,
    cross_entropy_error,
    mean_error,
    score_error,
)


def drawn(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are the probabilities of their labels."""
    scores = 1 / (1 + np.exp(-rng.normal(-2, 1.2, rows)))
    return scores, rng.random(rows) < scores


def delong(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """The area, and its standard error by placements of single rows: DeLong et al., 1988."""
    positive, negative = scores[labels], scores[~labels]
    order = np.sort(negative)
    low = np.searchsorted(order, positive, "left")
    above = (low + np.searchsorted(order, positive, "right")) / 2 / len(negative)
    order = np.sort(positive)
    low = np.searchsorted(order, negative, "left")
    below = 1 - (low + np.searchsorted(order, negative, "right")) / 2 / len(positive)
    error = above.var(ddof=1) / len(positive) + below.var(ddof=1) / len(negative)
    return float(above.mean()), math.sqrt(error)


def cross_entropy(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return -np.where(labels, np.log(scores), np.log1p(-scores))


def curves_of(scores: np.ndarray, labels: np.ndarray, points: int = 150) -> dict[str, Any]:
    order = np.argsort(-scores)
    hits = np.concatenate([[0], np.cumsum(labels[order])])
    misses = np.concatenate([[0], np.cumsum(~labels[order])])
    at = np.unique(np.linspace(0, len(scores), points).astype(int))
    groups = np.array_split(np.argsort(scores), 20)
    return {
        "roc": {
            "true_positive_rate": (hits[at] / hits[-1]).tolist(),
            "false_positive_rate": (misses[at] / misses[-1]).tolist(),
        },
        "scores": {
            "negative": np.histogram(scores[~labels], 50)[0].tolist(),
            "positive": np.histogram(scores[labels], 50)[0].tolist(),
        },
        "calibration": {
            "predicted": [float(scores[group].mean()) for group in groups],
            "observed": [float(labels[group].mean()) for group in groups],
            "weight": [len(group) for group in groups],
        },
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_error_of_an_auc_is_that_of_delong_by_single_rows(seed: int) -> None:
    scores, labels = drawn(20_000, np.random.default_rng(seed))
    area, expected = delong(scores, labels)
    assert auc_error(curves_of(scores, labels), area) == pytest.approx(expected, rel=0.01)


def test_errors_are_the_spread_over_other_rows_of_the_same_source() -> None:
    rng = np.random.default_rng(1)
    draws = [drawn(3000, rng) for _ in range(400)]
    areas = np.array([delong(*draw)[0] for draw in draws])
    means = np.array([cross_entropy(*draw).mean() for draw in draws])
    curves = curves_of(*draws[0])
    assert auc_error(curves, areas[0]) == pytest.approx(areas.std(), rel=0.15)
    assert cross_entropy_error(curves, means[0]) == pytest.approx(means.std(), rel=0.15)


def test_the_error_of_a_cross_entropy_is_that_of_the_mean_of_its_rows() -> None:
    scores, labels = drawn(20_000, np.random.default_rng(2))
    losses = cross_entropy(scores, labels)
    expected = losses.std() / math.sqrt(len(losses))
    found = cross_entropy_error(curves_of(scores, labels), losses.mean())
    assert found == pytest.approx(expected, rel=0.05)


def test_the_error_of_a_mean_is_its_spread_by_the_root_of_the_number() -> None:
    assert mean_error(np.array([1.0, 3.0])) == pytest.approx(1.0)
    assert mean_error(np.array([1.0])) is None


def test_an_error_is_known_only_of_the_score_whose_curves_they_are() -> None:
    scores, labels = drawn(20_000, np.random.default_rng(3))
    area, curves = delong(scores, labels)[0], curves_of(scores, labels)
    mean = float(cross_entropy(scores, labels).mean())
    metrics = {"auc": area, "grouped_auc": area, "log_loss": mean, "other_loss": 2 * mean,
               "mean_absolute_error": mean}  # fmt: skip
    record = {"metrics": metrics, "curves": {"auc": curves}}
    known = {name for name in metrics if score_error(record, name) is not None}
    assert known == {"auc", "log_loss"}
    off = {"metrics": {"auc": area + 0.05}, "curves": {"auc": curves}}
    assert score_error(off, "auc") is None


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"metrics": {"auc": None}, "curves": {}},
        {"metrics": {"auc": 0.5}, "curves": {"auc": {}}},
        {"metrics": {"auc": 0.5}, "curves": {"auc": None}},
        {"metrics": {"auc": 0.5}, "curves": {"auc": {"roc": {"true_positive_rate": [0]}}}},
        {"metrics": 3},
    ],
)
def test_of_a_record_without_curves_nothing_is_known(record: dict[str, Any]) -> None:
    assert score_error(record, "auc") is None


def test_equal_scores_count_half_as_in_the_paper() -> None:
    rng = np.random.default_rng(4)
    scores, labels = drawn(5000, rng)
    scores = np.round(scores, 1)
    area, expected = delong(scores, labels)
    thresholds = np.unique(scores)[::-1]
    roc = {
        "true_positive_rate": [(scores[labels] >= each).mean() for each in thresholds],
        "false_positive_rate": [(scores[~labels] >= each).mean() for each in thresholds],
    }
    curves = {**curves_of(scores, labels), "roc": roc}
    assert auc_error(curves, area) == pytest.approx(expected, rel=1e-3)
