"""MAE, MSE, Accuracy, RecallAtK and NormalizedEntropy against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    top_k_accuracy_score,
)
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics import (
    Accuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    NormalizedEntropy,
    RecallAtK,
)

RNG = np.random.default_rng(0)
SCORES = RNG.random(1_000)
LABELS = (RNG.random(1_000) < SCORES).astype(np.int64)
# Multiples of 2^-16, the unit of weights.
WEIGHTS = RNG.integers(0, 200_000, 1_000) / 65_536
CLASS_SCORES = RNG.random((1_000, 8))
CLASSES = RNG.integers(0, 8, 1_000)


def _value(metric: Metric, *columns: np.ndarray) -> float:
    metric.update(*(torch.tensor(column) for column in columns))
    return float(metric.compute())


def _normalized_entropy(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    rate = np.average(labels, weights=weights)
    base = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    return float(log_loss(labels, scores, sample_weight=weights) / base)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_values_are_those_of_their_definitions(weights: np.ndarray | None) -> None:
    given = () if weights is None else (weights,)
    ones = np.ones(1_000) if weights is None else weights
    for metric, definition in [
        (MeanAbsoluteError(), mean_absolute_error),
        (MeanSquaredError(), mean_squared_error),
    ]:
        expected = definition(LABELS, SCORES, sample_weight=ones)
        assert _value(metric, SCORES, LABELS, *given) == pytest.approx(expected, rel=1e-12)
    assert _value(Accuracy(0.3), SCORES, LABELS, *given) == pytest.approx(
        accuracy_score(LABELS, SCORES > 0.3, sample_weight=ones), rel=1e-12
    )
    assert _value(NormalizedEntropy(), SCORES, LABELS, *given) == pytest.approx(
        _normalized_entropy(LABELS, SCORES, ones), abs=1e-7
    )
    for top_k in (1, 3):
        expected = top_k_accuracy_score(CLASSES, CLASS_SCORES, k=top_k, sample_weight=ones)
        for top in (RecallAtK(top_k), Accuracy(top_k=top_k)):
            assert _value(top, CLASS_SCORES, CLASSES, *given) == pytest.approx(expected, rel=1e-12)


def test_a_score_at_the_threshold_is_a_negative_prediction() -> None:
    assert _value(Accuracy(), np.array([0.5, 0.5]), np.array([0, 1])) == 0.5


def test_constant_scores_find_the_label_as_often_as_k_fixed_classes_do() -> None:
    scores, classes = np.zeros((10, 10)), np.arange(10)
    assert _value(RecallAtK(3), scores, classes) == pytest.approx(0.3)


def test_scores_of_exactly_0_and_1_are_clamped_to_eta() -> None:
    scores, labels = np.array([0, 1, 1, 0], dtype=np.float32), np.array([0, 1, 0, 1])
    expected = -np.log(1e-12) / 2 / np.log(2)
    assert _value(NormalizedEntropy(), scores, labels) == pytest.approx(expected, rel=1e-6)
    expected = -(np.log(1e-3) + np.log(1 - 1e-3)) / 2 / np.log(2)
    assert _value(NormalizedEntropy(1e-3), scores, labels) == pytest.approx(expected, rel=1e-6)


def test_the_base_rate_as_score_gives_1() -> None:
    labels = np.array([1] + [0] * 999)
    assert _value(NormalizedEntropy(), np.full(1_000, 1e-3), labels) == pytest.approx(1, abs=1e-6)


def test_entropy_is_undefined_where_a_class_is_missing() -> None:
    assert np.isnan(_value(NormalizedEntropy(), np.array([0.2, 0.3]), np.array([0, 0])))


@pytest.mark.parametrize(
    "metric", [MeanAbsoluteError(), MeanSquaredError(), Accuracy(), NormalizedEntropy()], ids=repr
)
def test_a_score_of_nan_makes_the_value_nan(metric: Metric) -> None:
    assert np.isnan(_value(metric, np.array([0.1, np.nan, 0.8]), np.array([0, 1, 1])))


@pytest.mark.parametrize("metric", [RecallAtK(1), Accuracy()], ids=repr)
def test_a_class_score_of_nan_makes_the_value_nan(metric: Metric) -> None:
    assert np.isnan(_value(metric, np.array([[0.1, 0.2], [np.nan, 0.8]]), np.array([0, 1])))


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(
        st.tuples(st.floats(0, 1), st.booleans(), st.floats(0, 8)), min_size=1, max_size=40
    ),
    cut=st.integers(0, 40),
    random=st.randoms(use_true_random=False),
)
def test_integer_states_do_not_depend_on_how_samples_are_split_or_ordered(  # type: ignore[no-untyped-def]
    rows, cut, random
) -> None:
    def states(*parts):  # type: ignore[no-untyped-def]
        metrics = [Accuracy(), NormalizedEntropy()]
        for metric in metrics:
            for part in parts:
                columns = list(zip(*part, strict=True)) or [[], [], []]
                metric.update(*(torch.tensor(column, dtype=torch.float64) for column in columns))
        return [metric.metric_state for metric in metrics]

    whole = states(rows)
    random.shuffle(rows)
    assert states(rows[:cut], rows[cut:]) == whole


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(UserError, match=r"RecallAtK: preds has shape \[4\]; it must be \[B, C\]"):
        RecallAtK().update(torch.rand(4), torch.zeros(4))
    with pytest.raises(UserError, match="RecallAtK: top_k is 0; it must be at least 1"):
        RecallAtK(top_k=0)
    with pytest.raises(UserError, match=r"NormalizedEntropy: eta is 0.5"):
        NormalizedEntropy(eta=0.5)
