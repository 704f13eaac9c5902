"""NDCGAtK: exactly the mean over groups, whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import LABELS, NAN_SCORES, WEIGHTS
from raymon.metrics.ndcg_at_k import NDCGAtK

ROW = st.tuples(
    st.sampled_from([float("-inf"), -2.0, -0.0, 0.0, 0.5, 0.5000001, 1.0]),
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.1, 1 / 3, 1e-30, 1e30]),
    st.sampled_from([-(2**63), -1, 0, 2**63 - 1]),
    st.sampled_from([0.0, 0.25, 1.0, 3.3]),
)
Row = tuple[float, float, int, float]
TOP_K = st.none() | st.integers(1, 70)


def _columns(rows: list[Row]) -> list[Tensor]:
    return [
        torch.tensor([row[0] for row in rows], dtype=torch.float32),
        torch.tensor([row[1] for row in rows], dtype=torch.float32),
        torch.tensor([row[2] for row in rows], dtype=torch.int64),
        torch.tensor([row[3] for row in rows], dtype=torch.float32),
    ]


def _value(top_k: int | None, *columns: Tensor | None) -> Tensor:
    metric = NDCGAtK(top_k)
    metric.update(*columns)
    return metric.compute().nan_to_num(-1)


def _by_scikit_learn(
    top_k: int | None, preds: np.ndarray, gain: np.ndarray, key: np.ndarray
) -> tuple[float, int]:
    """Returns the mean over groups with a gain, -1 without one, and how many have none."""
    # Far below every other score; scikit-learn takes no infinite ones.
    preds = np.nan_to_num(preds.astype(float), neginf=-1e9)
    groups = [key == value for value in np.unique(key)]
    there = [group for group in groups if gain[group].sum() > 0]
    # It refuses a single row, whose value is 1.
    values = [
        ndcg_score(gain[None, group], preds[None, group], k=top_k) if group.sum() > 1 else 1.0
        for group in there
    ]
    return float(np.mean(values)) if values else -1.0, len(groups) - len(there)


# scikit-learn looks whether the gains are integers.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@settings(deadline=None, max_examples=150)
@given(st.lists(ROW, max_size=60), TOP_K, st.booleans())
def test_is_the_mean_over_groups_of_scikit_learn(
    rows: list[Row], top_k: int | None, weighted: bool
) -> None:
    columns = _columns(rows)
    preds, gain, _, weights = (column.double().numpy() for column in columns)
    metric = NDCGAtK(top_k)
    metric.update(*columns[: 4 if weighted else 3])
    gain = gain * weights if weighted else gain
    expected, skipped = _by_scikit_learn(top_k, preds, gain, columns[2].numpy())
    assert metric.compute().nan_to_num(-1).item() == pytest.approx(expected, abs=1e-12)
    assert metric.groups_skipped == skipped
    assert metric.groups == len(columns[2].unique()) - skipped
    assert metric.input_errors() == {}


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(ROW, min_size=1, max_size=60),
    cut=st.integers(0, 60),
    random=st.randoms(use_true_random=False),
    top_k=TOP_K,
)
def test_is_bit_equal_however_rows_are_split_or_ordered(rows, cut, random, top_k) -> None:
    whole, split = NDCGAtK(top_k), NDCGAtK(top_k)
    whole.update(*_columns(rows))
    random.shuffle(rows)
    split.update(*_columns(rows[:cut]))
    split.update(*_columns(rows[cut:]))
    assert torch.equal(whole.compute().nan_to_num(-1), split.compute().nan_to_num(-1))


@settings(deadline=None, max_examples=50)
@given(st.lists(ROW, min_size=1, max_size=40), st.integers(-20, 20), TOP_K)
def test_laws_hold_to_the_bit(rows: list[Row], power: int, top_k: int | None) -> None:
    preds, gain, key, _ = _columns(rows)
    value = _value(top_k, preds, gain, key)
    assert torch.equal(value, _value(top_k, preds * 2.0**power, gain, key)), "a monotone map"
    assert torch.equal(value, _value(top_k, preds.double(), gain.double(), key)), "float64"
    assert torch.equal(value, _value(top_k, preds, gain, ~key)), "other names of groups"
    assert torch.equal(value, _value(top_k, preds, gain, key, torch.full_like(preds, 4.0)))
    assert -1 <= value <= 1


@pytest.mark.parametrize("top_k", [None, 1, 10, 1_000])
@pytest.mark.parametrize("scores", ["random", "tied", "constant", "double"])
@pytest.mark.parametrize("gains", ["graded", "real"])
def test_many_groups_agree_with_scikit_learn(top_k: int | None, scores: str, gains: str) -> None:
    rng = np.random.default_rng(0)
    preds = rng.random(3_000)
    gain = rng.integers(0, 5, 3_000).astype(np.float32)
    gain = gain if gains == "graded" else np.exp(4 * rng.standard_normal(3_000)) * gain
    preds = {
        "random": preds.astype(np.float32),
        "tied": np.round(preds * 20).astype(np.float32),
        "constant": np.zeros(3_000, np.float32),
        "double": 1 + preds * 1e-12,
    }[scores]
    key = np.minimum(rng.zipf(1.3, 3_000), 100)
    expected, skipped = _by_scikit_learn(top_k, preds, gain, key)
    metric = NDCGAtK(top_k)
    metric.update(torch.tensor(preds), torch.tensor(gain), torch.tensor(key))
    assert metric.compute().item() == pytest.approx(expected, abs=1e-12)
    assert metric.groups_skipped == skipped


def test_the_best_order_is_worth_exactly_1() -> None:
    gain = torch.rand(1_000)
    key = torch.arange(1_000) % 7
    assert _value(None, gain, gain, key) == 1
    assert _value(3, gain, gain, key) == 1


@pytest.mark.parametrize("label", [-1.0, float("nan"), float("inf"), 1e39])
def test_a_bad_label_is_counted_and_makes_the_value_nan(label: float) -> None:
    metric = NDCGAtK()
    labels = torch.tensor([1.0, label, 2.0], dtype=torch.float64)
    metric.update(torch.rand(3), labels, torch.tensor([0, 0, 1]))
    assert metric.compute().isnan()
    assert metric.found_invalid is not None
    assert metric.found_invalid[LABELS] == 1
    assert metric.input_errors() == {"labels that are negative or not finite": 1}


def test_bad_scores_and_weights_make_the_value_nan() -> None:
    for score, weight in ((float("nan"), 1.0), (0.5, -1.0), (0.5, float("inf"))):
        metric = NDCGAtK()
        scores, weights = torch.tensor([score, 0.1]), torch.tensor([weight, 1.0])
        metric.update(scores, torch.ones(2), torch.tensor([3, 3]), weights)
        assert metric.compute().isnan()
        assert metric.found_invalid is not None
        assert metric.found_invalid[NAN_SCORES] + metric.found_invalid[WEIGHTS] == 1


@pytest.mark.parametrize("top_k", [0, -1])
def test_top_k_below_1_is_refused(top_k: int) -> None:
    with pytest.raises(UserError, match="top_k"):
        NDCGAtK(top_k)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_without_rows_or_gains_there_is_no_value() -> None:
    assert NDCGAtK().compute().isnan()
    metric = NDCGAtK(3)
    metric.update(torch.rand(4), torch.zeros(4), torch.tensor([1, 1, 2, 2]))
    assert metric.compute().isnan()
    assert (metric.groups, metric.groups_skipped) == (0, 2)
