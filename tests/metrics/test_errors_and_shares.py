"""MAE, MSE, Accuracy and RecallAtK against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    mean_squared_error,
    top_k_accuracy_score,
)
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics.accuracy import Accuracy
from raymon.metrics.mean_absolute_error import MeanAbsoluteError
from raymon.metrics.mean_squared_error import MeanSquaredError
from raymon.metrics.recall_at_k import RecallAtK
from tests.metrics.sums import SHAPES, Shape, rows_for


def _value(metric: Metric, *columns: np.ndarray) -> float:
    metric.update(*(torch.tensor(column) for column in columns))
    return float(metric.compute())


def _rows(name: str, rows: int, shape: Shape, weighted: bool) -> list[np.ndarray]:
    columns = [column.numpy() for column in rows_for(name, rows, shape, seed=rows)]
    columns[2] = columns[2] + 1 / 65_536 if weighted else np.ones(rows)
    return columns


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [1, 2, 3, 1_000])
def test_mean_errors_are_those_of_scikit_learn(rows: int, shape: Shape, weighted: bool) -> None:
    scores, labels, weights = _rows("mean_absolute_error", rows, shape, weighted)
    given = (weights,) if weighted else ()
    for metric, definition in [
        (MeanAbsoluteError(), mean_absolute_error),
        (MeanSquaredError(), mean_squared_error),
    ]:
        expected = definition(labels, scores, sample_weight=weights)
        assert _value(metric, scores, labels, *given) == pytest.approx(expected, rel=6e-8)


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [1, 2, 3, 1_000])
def test_accuracy_is_that_of_scikit_learn(rows: int, shape: Shape, weighted: bool) -> None:
    scores, labels, weights = _rows("accuracy", rows, shape, weighted)
    given = (weights,) if weighted else ()
    assert _value(Accuracy(0.3), scores, labels, *given) == pytest.approx(
        accuracy_score(labels, scores > 0.3, sample_weight=weights), rel=1e-12
    )


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("top_k", [1, 3, 8, 9])
def test_top_k_is_that_of_scikit_learn(top_k: int, weighted: bool) -> None:
    rng = np.random.default_rng(0)
    scores, classes = rng.normal(size=(1_000, 8)) * 1e10, rng.integers(0, 8, 1_000)
    weights = rng.integers(0, 200_000, 1_000) / 65_536 if weighted else np.ones(1_000)
    expected = 1.0
    if top_k < 8:
        expected = top_k_accuracy_score(classes, scores, k=top_k, sample_weight=weights)
    for metric in (RecallAtK(top_k), Accuracy(top_k=top_k)):
        given = (weights,) if weighted else ()
        assert _value(metric, scores, classes, *given) == pytest.approx(expected, rel=1e-12)


def test_a_score_at_the_threshold_is_a_negative_prediction() -> None:
    assert _value(Accuracy(), np.array([0.5, 0.5, 0.5]), np.array([0, 0, 1])) == pytest.approx(
        2 / 3
    )


def test_constant_scores_find_the_label_as_often_as_k_fixed_classes_do() -> None:
    scores, classes = np.zeros((10, 10)), np.arange(10)
    assert _value(RecallAtK(3), scores, classes) == pytest.approx(0.3)


def test_a_label_that_is_no_class_is_a_miss_whatever_k_is() -> None:
    labels = np.array([-1, 0, 1, 2, 1e300, 0.5, math.nan, math.inf])
    for metric in (RecallAtK(5), Accuracy(top_k=5)):
        assert _value(metric, np.zeros((8, 2)), labels) == 2 / 8
        assert metric.input_errors() == {"labels that are no class": 6}


def test_class_scores_need_not_be_probabilities() -> None:
    metric = RecallAtK(1)
    scores = np.array([[-math.inf, -7.0], [1e30, math.inf]])
    assert _value(metric, scores, np.array([1, 1])) == 1.0
    assert metric.input_errors() == {}


def test_a_mean_of_errors_is_infinite_after_an_infinite_score_and_nan_after_such_a_label() -> None:
    finite, infinite = np.array([0.1, 0.2]), np.array([0.1, -math.inf])
    for metric in (MeanAbsoluteError, MeanSquaredError):
        assert _value(metric(), infinite, finite) == math.inf
        assert math.isnan(_value(metric(), finite, infinite))
        assert math.isnan(_value(metric(), infinite, infinite))


def test_errors_are_of_any_magnitude() -> None:
    for magnitude in (1e-35, 1e-18, 1.0, 1e18, 1e35):
        scores, labels = np.array([1.0, -2.0]) * magnitude, np.zeros(2)
        assert _value(MeanAbsoluteError(), scores, labels) == pytest.approx(1.5 * magnitude)
        square = 2.5 * magnitude**2
        expected = square if 1e-36 <= square <= 1e38 else 0.0 if square < 1 else math.inf
        assert _value(MeanSquaredError(), scores, labels) == pytest.approx(expected)


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(UserError, match=r"RecallAtK: preds has shape \[4\]; it must be \[B, C\]"):
        RecallAtK().update(torch.rand(4), torch.zeros(4))
    with pytest.raises(UserError, match=r"Accuracy: preds has shape \[4, 0\]; it must be"):
        Accuracy().update(torch.rand(4, 0), torch.zeros(4))
    for metric in (RecallAtK, Accuracy):
        with pytest.raises(UserError, match="top_k is 0; it must be at least 1"):
            metric(top_k=0)
