"""HR@K, MRR and MAP: by their definitions over all orders of equal scores."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score

from raymon.errors import UserError
from raymon.metrics import MAP, MRR, HitRateAtK
from raymon.metrics.base.checked_metric import LABELS
from raymon.metrics.base.ranked_groups import RankedGroups

ROW = st.tuples(st.sampled_from([-1.0, 0.0, -0.0, 0.5]), st.booleans(), st.integers(0, 3))
Row = tuple[float, bool, int]
TOP_K = st.none() | st.integers(1, 8)


def hit(ranked: list[bool], k: int) -> float:
    return float(any(ranked[:k]))


def reciprocal(ranked: list[bool], k: int) -> float:
    return 1 / (1 + ranked.index(True)) if any(ranked[:k]) else 0.0


def precision(ranked: list[bool], k: int) -> float:
    at = [sum(ranked[: i + 1]) / (i + 1) for i, positive in enumerate(ranked[:k]) if positive]
    return sum(at) / min(sum(ranked), k)


FIGURES: dict[type[RankedGroups], Callable[[list[bool], int], float]] = {
    HitRateAtK: hit,
    MRR: reciprocal,
    MAP: precision,
}


def over_all_orders(rows: list[Row], figure: Callable[[list[bool], int], float], k: int) -> float:
    """Returns the mean of a figure over all orders of rows that the scores allow."""
    scores = [score for score, _, _ in rows]
    orders = {
        order
        for order in permutations(range(len(rows)))
        if all(scores[a] >= scores[b] for a, b in pairwise(order))
    }
    return float(np.mean([figure([rows[i][1] for i in order], k) for order in orders]))


def value(metric: RankedGroups, rows: list[Row], weights: list[float] | None = None) -> float:
    metric.update(
        torch.tensor([row[0] for row in rows]),
        torch.tensor([float(row[1]) for row in rows]),
        torch.tensor([row[2] for row in rows], dtype=torch.int64),
        None if weights is None else torch.tensor(weights),
    )
    return metric.compute().item()


@pytest.mark.parametrize("kind", FIGURES)
@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=6), TOP_K)
def test_is_the_mean_over_groups_and_the_orders_of_equal_scores(
    kind: type[RankedGroups], rows: list[Row], top_k: int | None
) -> None:
    if kind is HitRateAtK:
        top_k = top_k or 1
    groups = [[row for row in rows if row[2] == key] for key in {row[2] for row in rows}]
    there = [group for group in groups if any(positive for _, positive, _ in group)]
    metric = kind(top_k)
    found = value(metric, rows)
    assert (metric.groups, metric.groups_skipped) == (len(there), len(groups) - len(there))
    if not there:
        assert np.isnan(found)
        return
    means = [over_all_orders(group, FIGURES[kind], top_k or 99) for group in there]
    assert found == pytest.approx(np.mean(means), abs=1e-12)


@pytest.mark.parametrize("kind", FIGURES)
@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(ROW, min_size=1, max_size=60),
    cut=st.integers(0, 60),
    random=st.randoms(use_true_random=False),
    top_k=st.integers(1, 70),
)
def test_is_bit_equal_however_rows_are_split_or_ordered(kind, rows, cut, random, top_k) -> None:
    whole, split = kind(top_k), kind(top_k)
    expected = value(whole, rows)
    random.shuffle(rows)
    for part in (rows[:cut], rows[cut:]):
        if part:
            value(split, part)
    assert np.array_equal(split.compute().item(), expected, equal_nan=True)


def test_many_groups_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores, positive = rng.random((700, 90)), rng.random((700, 90)) < 0.05
    there = positive.any(1)
    rows = [torch.tensor(each.ravel()) for each in (scores, positive.astype(float))]
    key = torch.arange(700).repeat_interleave(90)
    average, reciprocal_rank, hits = MAP(), MRR(), HitRateAtK(10)
    for metric in (average, reciprocal_rank, hits):
        metric.update(*rows, key)
    expected = label_ranking_average_precision_score(positive[there], scores[there])
    assert average.compute().item() == pytest.approx(expected, abs=1e-12)
    first = np.take_along_axis(positive, np.argsort(-scores), 1)[there].argmax(1) + 1
    assert reciprocal_rank.compute().item() == pytest.approx((1 / first).mean(), abs=1e-12)
    assert hits.compute().item() == pytest.approx((first <= 10).mean(), abs=1e-12)
    assert hits.groups_skipped == (~there).sum()


def test_one_positive_a_group_among_equal_scores() -> None:
    # As where one item is left out for each user and a model tells no items apart: in closed form.
    rows = [(0.5, index == 0, key) for key in range(3) for index in range(100)]
    assert value(HitRateAtK(10), rows) == pytest.approx(0.1)
    assert value(MRR(), rows) == pytest.approx(sum(1 / n for n in range(1, 101)) / 100)
    assert value(MAP(), rows) == pytest.approx(sum(1 / n for n in range(1, 101)) / 100)


def test_a_row_without_weight_does_not_count_and_others_count_alike() -> None:
    rows = [(0.9, False, 0), (0.8, True, 0), (0.7, True, 1)]
    assert value(MRR(), rows) == 0.75
    assert value(MRR(), rows, [0.0, 3.0, 0.5]) == 1.0
    assert value(MRR(), rows, [2.0, 3.0, 0.5]) == 0.75


@pytest.mark.parametrize("kind", FIGURES)
def test_bad_input_is_counted(kind: type[RankedGroups]) -> None:
    metric = kind(3)
    metric.update(torch.rand(3), torch.tensor([1.0, 0.7, 0.0]), torch.tensor([0, 0, 1]))
    assert 0 < metric.compute() <= 1
    assert metric.found_invalid is not None
    assert metric.found_invalid[LABELS] == 1
    metric.update(torch.tensor([float("nan")]), torch.ones(1), torch.tensor([1]))
    assert metric.compute().isnan()
    with pytest.raises(UserError, match="top_k"):
        kind(0)
