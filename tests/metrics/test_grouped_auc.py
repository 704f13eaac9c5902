"""GroupedAUC: exactly the mean over groups, whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torch import Tensor

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import LABELS, NAN_SCORES, WEIGHTS
from raymon.metrics.grouped_auc import GroupedAUC

SCORES = [float("-inf"), -3.0, -1e-40, -0.0, 0.0, 1e-40, 0.1, 0.5, 0.5000001, 1.0, float("inf")]
ROW = st.tuples(
    st.sampled_from(SCORES),
    st.integers(0, 1),
    st.sampled_from([-(2**63), -1, 0, 7, 2**63 - 1]),
    st.sampled_from([0.0, 0.25, 1.0, 3.0]),
)
NEAR = st.integers(-(2**63), 2**63 - 2**31).flatmap(
    lambda low: st.tuples(st.just(low), st.integers(low, low + 2**31))
)
Row = tuple[float, int, int, float]


def _columns(rows: list[Row]) -> list[Tensor]:
    return [
        torch.tensor([row[0] for row in rows], dtype=torch.float32),
        torch.tensor([row[1] for row in rows], dtype=torch.float32),
        torch.tensor([row[2] for row in rows], dtype=torch.int64),
        torch.tensor([row[3] for row in rows], dtype=torch.float32),
    ]


def _value(*columns: Tensor | None) -> Tensor:
    metric = GroupedAUC()
    metric.update(*columns)
    value = metric.compute()
    assert value.dtype == torch.float64
    assert value.shape == ()
    return value.nan_to_num(-1)


def _area(preds: np.ndarray, target: np.ndarray, weights: np.ndarray) -> float:
    """Returns the area by all pairs; NaN without one."""
    positive, negative = target > 0.5, target <= 0.5
    above = preds[positive, None] > preds[None, negative]
    equal = preds[positive, None] == preds[None, negative]
    pairs = weights[positive, None] * weights[None, negative]
    return float((pairs * (above + equal / 2)).sum() / pairs.sum()) if pairs.any() else np.nan


def _by_pairs(*columns: Tensor) -> tuple[float, int]:
    preds, target, key, weights = (column.double().numpy() for column in columns)
    groups = [key == value for value in np.unique(columns[2])]
    areas = [_area(preds[group], target[group], weights[group]) for group in groups]
    there = [area for area in areas if area == area]
    return float(np.mean(there)) if there else -1, len(areas) - len(there)


@settings(deadline=None, max_examples=100)
@given(st.lists(ROW, max_size=60), st.booleans(), st.booleans())
def test_is_the_mean_over_groups_of_the_share_of_pairs(
    rows: list[Row], weighted: bool, double: bool
) -> None:
    preds, target, key, weights = _columns(rows)
    preds = preds.double() if double else preds
    weights = weights if weighted else torch.ones(len(rows))
    metric = GroupedAUC()
    metric.update(preds, target, key, weights if weighted else None)
    expected, skipped = _by_pairs(preds, target, key, weights)
    assert metric.compute().nan_to_num(-1).item() == pytest.approx(expected, abs=1e-12)
    assert metric.groups_skipped == skipped
    assert metric.groups == len(key.unique()) - skipped
    assert metric.input_errors() == {}


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(ROW, min_size=1, max_size=60),
    cut=st.integers(0, 60),
    random=st.randoms(use_true_random=False),
    weighted=st.booleans(),
)
def test_is_bit_equal_however_rows_are_split_or_ordered(rows, cut, random, weighted) -> None:
    used = slice(None if weighted else 3)
    whole, split = GroupedAUC(), GroupedAUC()
    whole.update(*_columns(rows)[used])
    random.shuffle(rows)
    split.update(*_columns(rows[:cut])[used])
    split.update(*_columns(rows[cut:])[used])
    assert torch.equal(whole.compute().nan_to_num(-1), split.compute().nan_to_num(-1))


@settings(deadline=None, max_examples=50)
@given(st.lists(ROW, min_size=1, max_size=40), st.integers(-20, 20))
def test_laws_of_areas_hold_to_the_bit(rows: list[Row], power: int) -> None:
    preds, target, key, weights = _columns([row for row in rows if abs(row[0]) != 1e-40])
    value = _value(preds, target, key)
    assert torch.equal(value, _value(preds * 2.0**power, target, key)), "a monotone map"
    assert torch.equal(value, _value(preds.double(), target, key)), "more precise scores"
    assert torch.equal(value, _value(preds, target, ~key)), "other names of groups"
    assert torch.equal(value, _value(preds, target, key, torch.full_like(preds, 3.0)))
    twice = [torch.cat([column, column]) for column in (preds, target, key, weights)]
    assert torch.equal(value, _value(*twice[:3])), "every row twice"
    weighted = _value(preds, target, key, weights)
    assert torch.equal(weighted, _value(preds, target, key, 2 * weights))
    assert torch.equal(weighted, _value(*twice)), "every row twice, with its weight"
    heavy = weights == 3.0
    doubled = [torch.cat([column, column[heavy]]) for column in (preds, target, key)]
    assert torch.equal(_value(preds, target, key, torch.where(heavy, 2.0, 1.0)), _value(*doubled))


@settings(deadline=None, max_examples=50)
@given(NEAR)
def test_keys_are_distinguished_however_near_or_far(keys: tuple[int, int]) -> None:
    key = torch.tensor([keys[0], keys[0], keys[1], keys[1]])
    expected = 0.5 if keys[0] != keys[1] else 0.75
    value = _value(torch.tensor([0.1, 0.9, 0.8, 0.2]), torch.tensor([0, 1, 0, 1]), key)
    assert value.item() == expected


@pytest.mark.parametrize("scores", ["random", "tied", "constant", "binary", "double"])
@pytest.mark.parametrize("groups", ["dense", "hashed", "skewed", "single"])
def test_many_groups_agree_with_scikit_learn(scores: str, groups: str) -> None:
    rng = np.random.default_rng(0)
    preds = rng.random(6_000)
    target = (rng.random(6_000) < preds * 0.3).astype(np.int64)
    preds = {
        "random": preds.astype(np.float32),
        "tied": np.round(preds * 20).astype(np.float32),
        "constant": np.zeros(6_000, np.float32),
        "binary": (preds > 0.5).astype(np.float32),
        # Apart only as float64.
        "double": 1 + preds * 1e-12,
    }[scores]
    hashes = rng.integers(-(2**63), 2**63 - 1, 300)
    key = {
        "dense": rng.integers(0, 300, 6_000),
        "hashed": rng.choice(hashes, 6_000),
        "skewed": rng.zipf(1.3, 6_000),
        "single": np.full(6_000, 5),
    }[groups]
    members = [np.flatnonzero(key == value) for value in np.unique(key)]
    both = [group for group in members if 0 < target[group].sum() < len(group)]
    expected = np.mean([roc_auc_score(target[group], preds[group]) for group in both])
    metric = GroupedAUC()
    metric.update(torch.tensor(preds), torch.tensor(target), torch.tensor(key))
    assert metric.compute().item() == pytest.approx(expected, abs=1e-12)
    assert metric.groups_skipped == len(members) - len(both)


def test_weights_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    preds, weights = rng.random((2, 3_000), dtype=np.float32)
    weights = np.exp(13 * weights).astype(np.float32)
    target, key = rng.random(3_000) < preds, rng.integers(0, 100, 3_000)
    areas = []
    for value in range(100):
        own = key == value
        areas.append(roc_auc_score(target[own], preds[own], sample_weight=weights[own]))
    columns = [torch.tensor(column) for column in (preds, target, key, weights)]
    assert _value(*columns).item() == pytest.approx(np.mean(areas), abs=1e-10)


def test_rows_beyond_what_is_worked_on_at_a_time_agree() -> None:
    generator = torch.Generator().manual_seed(0)
    preds = torch.rand(200_000, generator=generator)
    target = (torch.rand(200_000, generator=generator) < 0.2).float()
    key = torch.randint(0, 20_000, (200_000,), generator=generator)
    key[:70_000] = -5
    whole = _value(preds, target, key)
    groups, count = 0.0, 0
    for part in range(10):
        metric = GroupedAUC()
        own = key % 10 == part
        metric.update(preds[own], target[own], key[own])
        groups += metric.compute().item() * metric.groups
        count += metric.groups
    assert whole.item() == pytest.approx(groups / count, abs=1e-13)


def test_a_score_of_nan_makes_the_value_nan() -> None:
    metric = GroupedAUC()
    nan = float("nan")
    metric.update(torch.tensor([0.1, nan, 0.9]), torch.tensor([0, 1, 1]), torch.tensor([1, 2, 1]))
    assert metric.compute().isnan()
    assert metric.found_invalid is not None
    assert metric.found_invalid[NAN_SCORES] == 1


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0])
def test_a_bad_weight_makes_the_value_nan(weight: float, kind: torch.dtype) -> None:
    metric = GroupedAUC()
    columns = torch.tensor([0.1, 0.9]), torch.tensor([0, 1]), torch.tensor([1, 1])
    metric.update(*columns)
    metric.update(*columns, torch.tensor([1.0, weight]).to(kind))
    assert metric.compute().isnan()
    assert metric.found_invalid is not None
    assert metric.found_invalid[WEIGHTS] == 1


def test_other_labels_are_counted_and_positive_above_half() -> None:
    metric = GroupedAUC()
    labels = torch.tensor([-1.0, 0.5, 0.51, 7.0, float("nan"), 0.0, 1.0])
    key = torch.zeros(7, dtype=torch.int64)
    metric.update(torch.arange(7.0), labels, key)
    expected = roc_auc_score([0, 0, 1, 1, 0, 0, 1], np.arange(7.0))
    assert metric.compute().item() == pytest.approx(expected)
    assert metric.found_invalid is not None
    assert metric.found_invalid[LABELS] == 5
    assert metric.input_errors() == {"labels other than 0 and 1": 5}


@pytest.mark.parametrize("labels", [torch.bool, torch.int8, torch.int64, torch.float16])
@pytest.mark.parametrize("scores", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_takes_scores_labels_and_keys_of_any_type(scores: torch.dtype, labels: torch.dtype) -> None:
    preds = torch.tensor([0.25, 0.5, 0.75, 0.25]).to(scores)
    target = torch.tensor([0, 1, 0, 1]).to(labels)
    for kind in (torch.uint8, torch.int32, torch.int64):
        key = torch.zeros(4, dtype=kind)
        assert _value(preds, target, key).item() == (0.5 + 0 + 1 + 0) / 4
    for weights in (torch.bool, torch.int64, torch.float16, torch.bfloat16, torch.float64):
        weighted = _value(preds, target, key, torch.ones(4, dtype=weights))
        assert weighted.item() == (0.5 + 0 + 1 + 0) / 4


def test_wrong_shapes_and_keys_are_refused() -> None:
    metric = GroupedAUC()
    row, key = torch.rand(3), torch.zeros(3, dtype=torch.int64)
    for columns in (
        (row, row, key[:2]),
        (row, row[None], key),
        (row, row, key, row[:1]),
        (row, row, row),
        (row, row, key.bool()),
    ):
        with pytest.raises(UserError, match="GroupedAUC"):
            metric.update(*columns)
    assert metric.preds == metric.grouping_key == []


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_without_rows_there_is_no_value() -> None:
    assert GroupedAUC().compute().isnan()
    metric = GroupedAUC()
    metric.update(torch.empty(0), torch.empty(0), torch.empty(0, dtype=torch.int64))
    assert metric.compute().isnan()
    assert (metric.groups, metric.groups_skipped) == (0, 0)


def test_a_label_that_is_not_finite_is_counted() -> None:
    metric = GroupedAUC()
    labels = torch.tensor([float("inf"), 0.0, 1.0, -float("inf"), float("nan")])
    metric.update(torch.rand(5), labels, torch.zeros(5, dtype=torch.int64))
    metric.compute()
    assert metric.input_errors() == {"labels other than 0 and 1": 3}
