"""AUC and PRAUC of stored rows: exact, the same in any parts, until there are too many."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from raymon.metrics import AUC, PRAUC
from raymon.metrics.decay.states import compute_states, merge_states, window_states

KINDS = [(AUC, roc_auc_score), (PRAUC, average_precision_score)]
WEIGHT = st.one_of(st.none(), st.sampled_from([1e-9, 1.0, 1e9]))


def _value(kind, columns, *edges, **kwargs) -> tuple[float, float]:
    metric = kind(**kwargs)
    for start, end in pairwise([0, *edges, len(columns[0])]):
        metric.update(*(torch.from_numpy(column[start:end]) for column in columns))
    value = metric.compute().item()
    return value, metric.error_bound.item()


@pytest.mark.parametrize(("kind", "expected"), KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "crowded",
    [lambda z: np.exp(z - 40), lambda z: 1 - np.exp(z - 12), lambda z: 0.05 + z * 1e-7, np.exp],
    ids=["below 1e-12", "at 1", "in one bin", "outside 1"],
)
def test_are_those_of_scikit_learn_wherever_scores_crowd(kind, expected, weighted, crowded) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(1 - z))).astype(np.int64)
    scores = crowded(z).astype(np.float32)
    weights = [rng.gamma(1, 1e-7, 20_000)] if weighted else []
    value, bound = _value(kind, (scores, labels, *weights), 5, 700)
    given_weights = {"sample_weight": weights[0] * 1e7} if weighted else {}
    assert value == pytest.approx(expected(labels, scores.clip(0, 1), **given_weights), abs=1e-10)
    assert bound == 0


@pytest.mark.parametrize(("kind", "expected"), KINDS)
@pytest.mark.parametrize("ratio", [1e-6, 1e-9, 1e-12, 1e-15])
@pytest.mark.parametrize("light", [0, 1])
def test_a_class_may_weigh_next_to_nothing_beside_the_other(kind, expected, ratio, light) -> None:
    rng = np.random.default_rng(3)
    scores = rng.random(2_000)
    labels = (rng.random(2_000) < scores).astype(np.int64)
    weights = rng.gamma(2, 1, 2_000) * np.where(labels == light, ratio, 1.0)
    area = expected(labels, scores, sample_weight=weights)
    columns = scores, labels, weights
    assert _value(kind, columns, 5, 700)[0] == pytest.approx(area, rel=1e-12)
    value, bound = _value(kind, columns, exact_rows=0)
    assert abs(value - area) <= bound + 1e-12 <= 1e-3


@settings(deadline=None, max_examples=200)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(0, 1, width=32) | st.sampled_from([0.0, 0.5, 1.0]),
            st.booleans(),
            st.sampled_from([0.25, 1.0, 3.0, 1e-3]),
        ),
        min_size=1,
        max_size=40,
    ),
    cuts=st.lists(st.integers(0, 40), max_size=3),
    scale=WEIGHT,
    kind=st.sampled_from([AUC, PRAUC]),
    wide=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_order_and_parts_change_no_bit(rows, cuts, scale, kind, wide, random) -> None:
    def columns() -> list[np.ndarray]:
        scores, labels, weights = (np.array(column) for column in zip(*rows, strict=True))
        weighted = [] if scale is None else [weights * scale]
        return [scores if wide else scores.astype(np.float32), labels.astype(float), *weighted]

    whole = _value(kind, columns())
    random.shuffle(rows)
    split = _value(kind, columns(), *sorted(min(cut, len(rows)) for cut in cuts))
    assert np.array_equal(whole, split, equal_nan=True)


@pytest.mark.parametrize("kind", [AUC, PRAUC])
@pytest.mark.parametrize("weighted", [False, True])
def test_of_too_many_rows_they_are_those_of_bins_with_their_bound(kind, weighted) -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(1_000).astype(np.float32)
    columns = [scores, (rng.random(1_000) < scores).astype(np.int64)]
    columns += [rng.random(1_000) * 1e-6] if weighted else []
    of_bins = _value(kind, columns, exact_rows=0)
    assert of_bins[1] > 0
    assert _value(kind, columns, 1, 500, exact_rows=999) == of_bins
    assert _value(kind, columns, 1, 500, exact_rows=1_000)[1] == 0
    # Too many together, and not in any part.
    parts = []
    for rows in (slice(0, 600), slice(600, 1_000)):
        part = kind(exact_rows=999)
        part.update(*(torch.from_numpy(column[rows]) for column in columns))
        parts.append({name: state.clone() for name, state in window_states(part).items()})
    merged = compute_states(kind(exact_rows=999), merge_states(kind(exact_rows=999), parts))
    assert (merged.value.item(), merged.error_bound.item()) == of_bins


def test_after_a_reset_rows_are_kept_again() -> None:
    metric = AUC(exact_rows=3)
    metric.update(torch.rand(4), torch.tensor([0, 1, 0, 1]))
    metric.compute()
    metric.reset()
    metric.update(torch.tensor([0.3, 0.30001]), torch.tensor([0, 1]))
    assert metric.compute() == 1
    assert metric.error_bound == 0


def test_what_was_given_may_be_written_to() -> None:
    scores, labels, weights = torch.rand(8), torch.tensor([0.0, 1] * 4), torch.rand(8).double()
    metric, other = AUC(), AUC()
    metric.update(scores, labels, weights)
    other.update(scores.clone(), labels.clone(), weights.clone())
    for column in (scores, labels, weights):
        column.fill_(0.5)
    assert metric.compute() == other.compute()


@pytest.mark.parametrize("kind", [AUC, PRAUC])
def test_a_score_or_a_weight_that_is_none_makes_value_and_bound_nan(kind) -> None:
    nan = float("nan")
    for scores, weight in (([0.1, nan, 0.9], 1.0), ([0.1, 0.5, 0.9], -1.0)):
        metric = kind()
        weights = torch.tensor([1.0, weight, 1.0])
        metric.update(torch.tensor(scores), torch.tensor([0, 1, 1]), weights)
        assert metric.compute().isnan()
        assert metric.error_bound.isnan()
        assert metric.why_no_value().startswith("its input has 1 ")


def test_where_there_is_a_value_there_is_no_reason_why_there_is_none() -> None:
    metric = AUC()
    metric.update(torch.tensor([-3.0, 2.0]), torch.tensor([-1, 1]))
    assert metric.compute() == 1
    assert metric.input_errors()
    assert metric.why_no_value() is None


def test_weights_of_0_are_no_rows() -> None:
    metric = AUC()
    metric.update(torch.rand(4), torch.tensor([0, 1, 0, 1]), torch.zeros(4))
    assert metric.compute().isnan()
    assert metric.why_no_value() == "there are no rows that weigh anything"
    metric.update(torch.tensor([0.1, 0.9]), torch.tensor([0, 1]), torch.ones(2))
    assert metric.compute() == 1
