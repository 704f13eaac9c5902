"""PRAUC from bins: close to average precision, equal to torchmetrics by thresholds, and bounded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from torchmetrics.functional.classification import binary_average_precision

from raymon.errors import UserError
from raymon.metrics.auc import AUC
from raymon.metrics.pr_auc import PRAUC

ROWS = 100_000


def _pr_auc(*columns: np.ndarray, thresholds: int | None = None) -> tuple[float, float]:
    metric = PRAUC(thresholds, exact_rows=0)
    metric.update(*(torch.tensor(column) for column in columns))
    value = metric.compute().item()
    assert metric.error_bound is not None
    return value, metric.error_bound.item()


def _clicks(base_rate: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    logits = rng.normal(np.log(base_rate / (1 - base_rate)), 1.2, ROWS)
    scores = 1 / (1 + np.exp(-logits))
    return scores.astype(np.float32), (rng.random(ROWS) < scores).astype(np.int64)


@pytest.mark.parametrize("base_rate", [0.001, 0.005, 0.05, 0.33, 0.9, 0.995])
def test_is_within_1e_4_of_the_exact_value_at_any_base_rate(base_rate: float) -> None:
    scores, labels = _clicks(base_rate)
    value, bound = _pr_auc(scores, labels)
    error = abs(value - average_precision_score(labels, scores))
    assert error < 1e-4
    assert error <= bound < 1e-3


@pytest.mark.parametrize("base_rate", [0.001, 0.33, 0.995])
@pytest.mark.parametrize("thresholds", [2, 5, 200])
def test_by_thresholds_it_is_the_value_of_torchmetrics(base_rate: float, thresholds: int) -> None:
    scores, labels = _clicks(base_rate)
    scores[:2], labels[:2] = 1.0, [0, 1]
    expected = binary_average_precision(
        torch.tensor(scores), torch.tensor(labels), thresholds=thresholds
    )
    value, bound = _pr_auc(scores, labels, thresholds=thresholds)
    assert value == pytest.approx(expected.item(), abs=1e-6)
    assert abs(value - average_precision_score(labels, scores)) <= bound


def test_tied_scores_count_as_one_threshold() -> None:
    rng = np.random.default_rng(3)
    scores = rng.choice(np.float32([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), 5_000)
    labels = (rng.random(5_000) < scores).astype(np.int64)
    assert _pr_auc(scores, labels)[0] == pytest.approx(
        average_precision_score(labels, scores), abs=1e-12
    )


@settings(deadline=None, max_examples=200)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(
                st.floats(0, 1),
                st.sampled_from([0.0, 0.3, 0.5, 1.0]),
                st.floats(0.3, 0.3001),
            ),
            st.booleans(),
            st.integers(1, 200_000),
        ),
        min_size=1,
        max_size=30,
    ),
    thresholds=st.sampled_from([None, 2, 10]),
)
def test_it_is_never_farther_from_the_exact_value_than_its_bound(rows, thresholds) -> None:
    scores, labels, units = (np.array(column) for column in zip(*rows, strict=True))
    labels[0] = True
    weights = units / 65_536
    value, bound = _pr_auc(scores, labels, weights, thresholds=thresholds)
    exact = average_precision_score(labels, scores, sample_weight=weights)
    assert abs(value - exact) <= bound + 1e-12
    assert -1e-12 <= value <= 1 + 1e-12


def test_the_bound_is_reached_by_the_best_order_within_a_bin() -> None:
    # One bin: the positive is above the 3 negatives, or below them.
    labels = np.array([1, 0, 0, 0])
    value, bound = _pr_auc(np.array([0.4, 0.3, 0.2, 0.1]), labels, thresholds=2)
    assert value == 0.25
    assert bound == 0.75


def test_without_a_positive_there_is_no_value() -> None:
    assert np.isnan(_pr_auc(np.array([0.2, 0.7]), np.array([0, 0]))).all()
    assert np.isnan(_pr_auc(np.empty(0), np.empty(0))).all()
    assert _pr_auc(np.array([0.2, 0.7]), np.array([1, 1])) == (1.0, 0.0)
    value, bound = _pr_auc(np.array([0.2, np.nan]), np.array([0, 1]))
    assert np.isnan(value)
    assert np.isnan(bound)


def test_its_state_is_that_of_an_auc() -> None:
    scores, labels = (torch.tensor(column) for column in _clicks(0.05))
    for thresholds in (None, 200):
        auc, pr_auc = AUC(thresholds, exact_rows=0), PRAUC(thresholds, exact_rows=0)
        for metric in (auc, pr_auc):
            metric.update(scores, labels)
        assert auc.metric_state.keys() == pr_auc.metric_state.keys()
        assert torch.equal(auc.histogram, pr_auc.histogram)


def test_fewer_than_2_thresholds_are_refused() -> None:
    with pytest.raises(UserError, match="PRAUC: thresholds is 1; it must be at least 2"):
        PRAUC(thresholds=1)
