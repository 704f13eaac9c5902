"""GroupedAUC: exactly the mean over groups, whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from raymon.metrics import GroupedAUC

ROW = st.tuples(
    st.sampled_from([-3.0, -2.0, -0.0, 0.0, 0.1, 0.5, 0.5000001, 1.0]),
    st.integers(0, 1),
    st.sampled_from([-(2**63), -1, 0, 7, 2**63 - 1]),
)


def _columns(rows: list[tuple[float, int, int]]) -> list[torch.Tensor]:
    return [
        torch.tensor([row[0] for row in rows], dtype=torch.float32),
        torch.tensor([row[1] for row in rows], dtype=torch.float32),
        torch.tensor([row[2] for row in rows], dtype=torch.int64),
    ]


def _by_loop(preds: np.ndarray, target: np.ndarray, key: np.ndarray) -> tuple[float, int]:
    groups = [key == value for value in np.unique(key)]
    both = [group for group in groups if 0 < target[group].sum() < group.sum()]
    areas = [roc_auc_score(target[group], preds[group]) for group in both]
    return float(np.mean(areas)) if areas else float("nan"), len(groups) - len(both)


@settings(deadline=None, max_examples=50)
@given(st.lists(ROW, max_size=60))
def test_is_the_unweighted_mean_over_groups_with_both_classes(
    rows: list[tuple[float, int, int]],
) -> None:
    columns = _columns(rows)
    metric = GroupedAUC()
    metric.update(*columns)
    expected, skipped = _by_loop(*(column.numpy() for column in columns))
    assert metric.compute().item() == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert metric.groups_skipped == skipped


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(ROW, min_size=1, max_size=60),
    cut=st.integers(0, 60),
    random=st.randoms(use_true_random=False),
)
def test_is_bit_equal_however_rows_are_split_or_ordered(rows, cut, random) -> None:  # type: ignore[no-untyped-def]
    whole, split = GroupedAUC(), GroupedAUC()
    whole.update(*_columns(rows))
    random.shuffle(rows)
    split.update(*_columns(rows[:cut]))
    split.update(*_columns(rows[cut:]))
    assert torch.equal(whole.compute().nan_to_num(-1), split.compute().nan_to_num(-1))


def test_many_groups_agree_with_a_loop_over_them() -> None:
    rng = np.random.default_rng(0)
    key = rng.integers(0, 300, 6_000)
    preds = rng.random(6_000).astype(np.float32)
    target = (rng.random(6_000) < preds * 0.3).astype(np.int64)
    metric = GroupedAUC()
    metric.update(torch.tensor(preds), torch.tensor(target), torch.tensor(key))
    expected, skipped = _by_loop(preds, target, key)
    assert metric.compute().item() == pytest.approx(expected, abs=1e-12)
    assert metric.groups_skipped == skipped


def test_a_score_of_nan_makes_the_value_nan() -> None:
    metric = GroupedAUC()
    nan = float("nan")
    metric.update(torch.tensor([0.1, nan, 0.9]), torch.tensor([0, 1, 1]), torch.tensor([1, 2, 1]))
    assert metric.compute().isnan()


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_without_rows_there_is_no_value() -> None:
    assert GroupedAUC().compute().isnan()
