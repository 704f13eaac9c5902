"""Calibration: predicted over observed positives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from raymon.metrics.calibration import Calibration
from tests.metrics.sums import SHAPES, Shape, rows_for


def _value(*columns: np.ndarray) -> float:
    metric = Calibration()
    metric.update(*(torch.tensor(column) for column in columns))
    return metric.compute().item()


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [1, 2, 3, 1_000])
def test_is_the_sum_of_scores_over_the_sum_of_labels(
    rows: int, shape: Shape, weighted: bool
) -> None:
    columns = rows_for("calibration", rows, shape, seed=rows)
    scores, labels, weights = (column.numpy() for column in columns)
    labels[0] = 1
    weights = weights + 1 if weighted else np.ones(rows)
    expected = (scores * weights).sum() / (labels * weights).sum()
    given = (scores, labels, weights) if weighted else (scores, labels)
    assert _value(*given) == pytest.approx(expected, rel=6e-8)


def test_the_base_rate_as_score_is_right_and_twice_that_is_twice_too_much() -> None:
    labels = np.array([1] + [0] * 999)
    assert _value(np.full(1_000, 1e-3), labels) == pytest.approx(1, rel=6e-8)
    assert _value(np.full(1_000, 2e-3), labels) == pytest.approx(2, rel=6e-8)


def test_rare_positives_keep_their_digits() -> None:
    labels = (np.arange(1_000_000) == 0).astype(np.int64)
    assert _value(np.full(1_000_000, 1e-9), labels) == pytest.approx(1e-3, rel=6e-8)


def test_scores_outside_0_to_1_count_as_0_or_1() -> None:
    scores = np.array([-math.inf, -0.5, 1.5, math.inf])
    assert _value(scores, np.array([0, 0, 1, 1])) == 1.0


def test_is_undefined_without_a_positive() -> None:
    assert math.isnan(_value(np.array([0.2, 0.3]), np.array([0, 0])))
    assert math.isnan(_value(np.array([0.2, 0.3]), np.array([1, 0]), np.array([0.0, 1.0])))
