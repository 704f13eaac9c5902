"""LogLoss and NormalizedEntropy against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from raymon.errors import UserError
from raymon.metrics.base.cross_entropy import CrossEntropy
from raymon.metrics.log_loss import LogLoss
from raymon.metrics.normalized_entropy import NormalizedEntropy
from raymon.metrics.numerics.fixed_point import MAX_WEIGHT
from tests.metrics.sums import SHAPES, Shape, rows_for

LOSSES = [LogLoss, NormalizedEntropy]


def _value(metric: CrossEntropy, *columns: np.ndarray) -> float:
    metric.update(*(torch.tensor(column) for column in columns))
    return float(metric.compute())


def _base(labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    rate = np.average(labels, weights=weights)
    return float(-(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)))


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [2, 3, 1_000])
def test_values_are_those_of_their_definitions(rows: int, shape: Shape, weighted: bool) -> None:
    columns = rows_for("log_loss", rows, shape, seed=rows)
    scores, labels, weights = (column.numpy() for column in columns)
    # Clamped farther away, 1 minus a score keeps its digits in scikit-learn too.
    scores, labels[:2] = scores.clip(1e-6, 1 - 1e-6), (0, 1)
    weights = weights + 1 if weighted else np.ones(rows)
    expected = log_loss(labels, scores, sample_weight=weights)
    given = (scores, labels, weights) if weighted else (scores, labels)
    assert _value(LogLoss(), *given) == pytest.approx(expected, rel=6e-8)
    ratio = expected / _base(labels, weights)
    assert _value(NormalizedEntropy(), *given) == pytest.approx(ratio, rel=6e-8)


@pytest.mark.parametrize("rate", [1e-3, 1e-6, 1 - 1e-6])
def test_small_losses_keep_their_digits(rate: float) -> None:
    labels = (np.arange(1_000_000) < round(rate * 1_000_000)).astype(np.int64)
    scores = np.where(labels == 1, 1 - 1e-7, 1e-9)
    expected = log_loss(labels, scores)
    assert _value(LogLoss(), scores, labels) == pytest.approx(expected, rel=6e-8)
    assert _value(NormalizedEntropy(), scores, labels) == pytest.approx(
        expected / _base(labels), rel=6e-8
    )


def test_scores_of_exactly_0_and_1_are_clamped_to_eta() -> None:
    scores, labels = np.array([0, 1, 1, 0], dtype=np.float32), np.array([0, 1, 0, 1])
    for eta in (1e-12, 1e-3):
        expected = -(np.log(eta) + np.log(1 - eta)) / 2
        assert _value(LogLoss(eta), scores, labels) == pytest.approx(expected, rel=6e-8)
    entropy = 100 / 2 / np.log(2)
    assert _value(NormalizedEntropy(), scores, labels) == pytest.approx(entropy, rel=6e-8)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_the_distance_from_1_is_that_of_the_score_itself(dtype: torch.dtype) -> None:
    below_1 = 1 - torch.finfo(dtype).eps / 2
    metric = LogLoss()
    metric.update(torch.tensor([below_1], dtype=dtype), torch.tensor([0]))
    assert metric.compute().item() == pytest.approx(-math.log(1 - below_1), rel=6e-8)


def test_the_base_rate_as_score_gives_1() -> None:
    labels = np.array([1] + [0] * 999)
    assert _value(NormalizedEntropy(), np.full(1_000, 1e-3), labels) == pytest.approx(1, rel=6e-8)


def test_where_a_class_is_missing_the_base_rate_is_clamped_to_eta() -> None:
    for label in (0, 1):
        scores, labels = np.array([0.2, 0.2]), np.array([label, label])
        loss = -math.log(abs(1 - label - 0.2))
        for eta in (1e-12, 1e-3):
            expected = loss / -np.log(1 - eta)
            assert _value(NormalizedEntropy(eta), scores, labels) == pytest.approx(
                expected, rel=1e-6
            )
        expected = -math.log(abs(1 - label - 0.2))
        assert _value(LogLoss(), scores, labels) == pytest.approx(expected, rel=6e-8)


def test_the_largest_loss_of_the_largest_weight_does_not_overflow() -> None:
    scores, labels, weights = np.zeros(1_000), np.ones(1_000), np.full(1_000, MAX_WEIGHT)
    expected = -math.log(1e-12)
    assert _value(LogLoss(), scores, labels, weights) == pytest.approx(expected, rel=6e-8)


def test_a_loss_of_another_eta_has_other_states() -> None:
    states = {tuple(LogLoss(eta).metric_state) for eta in (1e-12, 1e-3)}
    assert len(states) == 2
    states = {tuple(NormalizedEntropy(eta).metric_state) for eta in (1e-12, 1e-3)}
    assert len(states) == 1


@pytest.mark.parametrize("metric", LOSSES)
@pytest.mark.parametrize("eta", [0.0, 0.5, math.nan])
def test_an_eta_that_leaves_no_scores_is_refused(metric: type[CrossEntropy], eta: float) -> None:
    with pytest.raises(UserError, match=rf"{metric.__name__}: eta is {eta}; it must be above 0"):
        metric(eta)
