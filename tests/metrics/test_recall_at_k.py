"""Recall and accuracy at k: equal scores count as the mean over their orders; several positives."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.errors import UserError
from raymon.metrics import Accuracy, RecallAtK

ROWS, CLASSES = 200, 50


def _mean_over_orders(scores: list[float], positive: list[bool], top_k: int) -> float:
    """Returns the hits of one row, in the mean over all orders of the classes, by brute force."""
    hits = []
    for order in permutations(range(len(scores))):
        ranked = sorted(order, key=lambda index: -scores[index])
        hits.append(sum(positive[index] for index in ranked[:top_k]))
    return float(np.mean(hits))


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=5, max_size=5),
            st.lists(st.booleans(), min_size=5, max_size=5),
            st.sampled_from([0.0, 0.5, 3.0]),
        ),
        min_size=1,
        max_size=3,
    ),
    top_k=st.integers(1, 6),
    weighted=st.booleans(),
    kind=st.sampled_from([torch.bool, torch.int64, torch.float32]),
)
def test_several_positives_are_recalled_as_in_the_mean_over_orders(
    rows, top_k, weighted, kind
) -> None:
    scores, positive, weights = zip(*rows, strict=True)
    if not weighted:
        weights = (1.0,) * len(rows)
    hits = [_mean_over_orders(*row, top_k) for row in zip(scores, positive, strict=True)]
    found = sum(w * each for w, each in zip(weights, hits, strict=True))
    there = sum(w * sum(row) for w, row in zip(weights, positive, strict=True))
    metric = RecallAtK(top_k)
    columns = torch.tensor(scores), torch.tensor(positive).to(kind)
    metric.update(*columns, torch.tensor(weights) if weighted else None)
    expected = found / there if there else math.nan
    assert metric.compute().item() == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert (metric.why_no_value() is None) == (there > 0)


@pytest.mark.parametrize("kind", [RecallAtK, lambda k: Accuracy(top_k=k)])
@pytest.mark.parametrize("top_k", [1, 5, 50])
def test_a_model_that_knows_nothing_has_the_recall_of_chance(kind, top_k: int) -> None:
    generator = torch.Generator().manual_seed(0)
    saturated = torch.sigmoid(torch.randn(ROWS, CLASSES, generator=generator) * 0.01 + 8)
    for scores in (torch.full((ROWS, CLASSES), 0.5), saturated.bfloat16()):
        for at in (0, CLASSES - 1):
            metric = kind(top_k)
            metric.update(scores, torch.full((ROWS,), at))
            assert metric.compute().item() == pytest.approx(top_k / CLASSES, rel=1e-6)


def test_a_label_and_the_matrix_of_it_are_the_same() -> None:
    generator = torch.Generator().manual_seed(1)
    scores = torch.rand(ROWS, CLASSES, generator=generator)
    label = torch.randint(0, CLASSES, (ROWS,), generator=generator)
    one, several = RecallAtK(3), RecallAtK(3)
    one.update(scores, label)
    several.update(scores, torch.nn.functional.one_hot(label, CLASSES))
    assert one.compute() == several.compute()


def test_bad_labels_of_a_matrix_are_counted_once_a_row() -> None:
    metric = RecallAtK(1)
    target = torch.tensor([[0.0, 2.0, 0.5], [1.0, 0.0, 0.0], [math.nan, 0.0, 1.0]])
    metric.update(torch.rand(3, 3), target)
    metric.compute()
    assert metric.input_errors() == {"labels that are no class": 2}


def test_a_matrix_of_another_shape_is_refused() -> None:
    with pytest.raises(UserError, match=r"target \[4, 2\]; a target of several positives must"):
        RecallAtK(1).update(torch.rand(4, 3), torch.ones(4, 2))
