"""The confidence interval of an AUC, by DeLong's method."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from raymon.metrics import AUC, DecayAUC


def delong(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Returns the AUC and its standard error, by the pairs as the paper writes them."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = positive[:, None] > negative[None]
    psi = wins + 0.5 * (positive[:, None] == negative[None])
    v10, v01 = psi.mean(1), psi.mean(0)
    variance = v10.var(ddof=1) / len(positive) + v01.var(ddof=1) / len(negative)
    return float(psi.mean()), math.sqrt(variance)


def rows(seed: int, count: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.random(count)
    labels = (rng.random(count) < scores**2).astype(float)
    return (np.round(scores, 1) if ties else scores).astype(np.float32), labels


def filled(metric: AUC, scores: np.ndarray, labels: np.ndarray, *weights: np.ndarray) -> AUC:
    metric.update(*(torch.tensor(each) for each in (scores, labels, *weights)))
    metric.compute()
    return metric


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("exact_rows", [1000, 0])
def test_the_interval_is_that_of_the_paper(ties: bool, exact_rows: int) -> None:
    scores, labels = rows(0, 400, ties)
    value, error = delong(scores, labels)
    assert value == pytest.approx(roc_auc_score(labels, scores))
    found = filled(AUC(exact_rows=exact_rows), scores, labels).details()
    # Two scores seldom share a fine bin.
    near = 1e-12 if exact_rows else 1e-4
    assert found["ci_low"] == pytest.approx(value - 1.959963984540054 * error, abs=near)
    assert found["ci_high"] == pytest.approx(value + 1.959963984540054 * error, abs=near)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    # Scores of a normal distribution of either class, whose area is known: Phi(d / sqrt(2)).
    rng, truth, covered = np.random.default_rng(1), 0.5 * (1 + math.erf(0.5)), 0
    for _ in range(400):
        labels = np.repeat([0.0, 1.0], [300, 60])
        scores = 1 / (1 + np.exp(-(rng.normal(size=360) + labels)))
        found = filled(AUC(), scores, labels).details()
        covered += found["ci_low"] <= truth <= found["ci_high"]
    # 95 %, within three standard errors of that share of 400.
    assert abs(covered / 400 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 400)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.integers(4, 60), st.booleans(), st.sampled_from([0, 1000]))
def test_it_is_bit_equal_in_any_order_and_any_batches(
    seed: int, count: int, ties: bool, exact_rows: int
) -> None:
    scores, labels = rows(seed, count, ties)
    whole = filled(AUC(exact_rows=exact_rows), scores, labels)
    split, order = AUC(exact_rows=exact_rows), np.random.default_rng(seed).permutation(count)
    for part in np.array_split(order, 3):
        split.update(torch.tensor(scores[part]), torch.tensor(labels[part]))
    split.compute()
    assert split.details() == whole.details() == whole.details()


def test_weights_that_are_no_numbers_of_rows_have_no_interval() -> None:
    scores, labels = rows(0, 400, True)
    weights = np.random.default_rng(0).random(400)
    for exact_rows in (0, 1000):
        metric = AUC(exact_rows=exact_rows)
        assert filled(metric, scores, labels, weights).details() == {}
    # A row of weight 2 in bins is a row that is there twice.
    twice = np.concatenate([scores, scores]), np.concatenate([labels, labels])
    expected = filled(AUC(exact_rows=0), *twice).details()
    assert filled(AUC(exact_rows=0), scores, labels, np.full(400, 2.0)).details() == expected


def test_where_nothing_says_how_wide_it_is_there_is_none() -> None:
    ordered = np.linspace(0, 1, 50), np.repeat([0.0, 1.0], 25)
    assert filled(AUC(), *ordered).details() == {}
    assert filled(AUC(), np.array([0.1, 0.2, 0.15]), np.array([0.0, 0.0, 1.0])).details() == {}
    assert (
        filled(AUC(), np.array([0.1, np.nan, 0.3, 0.2]), np.array([0.0, 1, 1, 0])).details() == {}
    )
    metric = filled(AUC(), *rows(0, 100, False))
    assert metric.details()
    metric.reset()
    metric.update(torch.rand(4), torch.ones(4))
    metric.compute()
    assert metric.details() == {}
    decayed = DecayAUC()
    decayed.update(torch.rand(50), torch.ones(50))
    decayed.decay(0.9)
    decayed.compute()
    assert decayed.details() == {}
