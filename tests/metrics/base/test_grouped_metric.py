"""Rows that are stored by group: not copied, not waited for, and shared by metrics."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
import torch
from torchmetrics import Metric, MetricCollection

from raymon.metrics.auc import AUC
from raymon.metrics.base.grouped_metric import GroupedMetric
from raymon.metrics.decay.states import compute_states, merge_states, take_window_states
from raymon.metrics.grouped_auc import GroupedAUC
from raymon.metrics.map import MAP
from raymon.metrics.ndcg_at_k import NDCGAtK

METRICS: list[Callable[[], GroupedMetric]] = [GroupedAUC, NDCGAtK, lambda: NDCGAtK(2), MAP]
Columns = tuple[torch.Tensor, ...]


def _columns(seed: int, rows: int = 50) -> Columns:
    generator = torch.Generator().manual_seed(seed)
    preds = torch.rand(rows, generator=generator)
    target = (torch.rand(rows, generator=generator) < preds).float()
    weights = torch.rand(rows, generator=generator)
    return preds, target, torch.randint(0, 9, (rows,), generator=generator), weights


def test_rows_are_kept_without_copying_what_needs_no_copy() -> None:
    metric = GroupedAUC()
    preds, target, key, _ = _columns(0)
    metric.update(preds, target.double(), key)
    assert metric.preds[0].data_ptr() == preds.data_ptr()
    assert metric.grouping_key[0].data_ptr() == key.data_ptr()
    assert metric.weights[0].untyped_storage().nbytes() == 8
    assert (metric.preds[0].dtype, metric.target[0].dtype) == (torch.float32, torch.float64)
    rows = metric.rows()
    assert rows.preds.data_ptr() == preds.data_ptr()
    assert rows.weights is None


def test_scores_that_need_a_gradient_leave_none() -> None:
    metric = GroupedAUC()
    preds, target, key, weights = _columns(0)
    metric.update(preds.requires_grad_(), target, key, weights.requires_grad_())
    assert not metric.preds[0].requires_grad
    assert not metric.weights[0].requires_grad


@pytest.mark.parametrize("rows", [0, 8])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_updates_do_not_wait(rows: int, weighted: bool, dtype: torch.dtype) -> None:
    with torch.device("meta"):
        for kind in METRICS:
            metric = kind()
            key, weights = torch.ones(rows, dtype=torch.int32), torch.rand(rows)
            preds, target = torch.rand(rows, dtype=dtype), torch.ones(rows, dtype=torch.bool)
            metric.update(preds, target, key, weights if weighted else None)
            states = take_window_states(metric)
            assert {state.device.type for state in states.values()} == {"meta"}


@pytest.mark.parametrize("weighted", [False, True])
def test_metrics_of_a_collection_share_their_rows(weighted: bool) -> None:
    metrics: dict[str, Metric] = {
        "area": GroupedAUC(),
        "gain": NDCGAtK(10),
        "gain of 2": NDCGAtK(2),
        "all": AUC(),
    }
    collection = MetricCollection(metrics)
    alone = {name: metric.clone() for name, metric in metrics.items()}
    for seed in range(3):
        preds, target, key, weights = _columns(seed)
        if not weighted:
            weights = None
        collection.update(preds, target, grouping_key=key, weights=weights)
        for name, metric in alone.items():
            by_group = {} if name == "all" else {"grouping_key": key}
            metric.update(preds, target, **by_group, weights=weights)
    assert sorted(map(len, collection.compute_groups.values())) == [1, 3]
    # Asked for by name, a metric would get a copy of its rows.
    inside = dict(collection.items(copy_state=False))
    assert inside["area"].preds is inside["gain of 2"].preds
    assert collection.compute() == {name: metric.compute() for name, metric in alone.items()}
    collection.reset()
    assert inside["gain"].preds == []


@pytest.mark.parametrize("kind", METRICS)
def test_windows_of_rows_give_the_value_of_all(kind: Callable[[], GroupedMetric]) -> None:
    whole, parts = kind(), []
    for seed, weighted in ((0, False), (1, True), (2, False)):
        metric = kind()
        columns = _columns(seed)[: 4 if weighted else 3]
        columns = (columns[0].double() + 1e-12, *columns[1:]) if seed == 2 else columns
        whole.update(*columns)
        metric.update(*columns)
        parts.append(take_window_states(metric))
        assert metric.preds == []
        parts.append(take_window_states(metric))
    for order in (parts, parts[::-1]):
        value = compute_states(kind(), merge_states(kind(), order)).value
        assert torch.equal(value, whole.compute())
    assert compute_states(kind(), merge_states(kind(), parts[1:2])).value.isnan()
    assert compute_states(kind(), merge_states(kind(), [])).value.isnan()


@pytest.mark.parametrize("kind", METRICS)
def test_the_value_of_a_batch_leaves_the_others(kind: Callable[[], GroupedMetric]) -> None:
    metric, whole = kind(), kind()
    for seed in range(2):
        batch = kind()
        batch.update(*_columns(seed))
        whole.update(*_columns(seed))
        assert torch.equal(metric(*_columns(seed)), batch.compute())
    assert torch.equal(metric.compute(), whole.compute())
    copy = pickle.loads(pickle.dumps(metric))
    copy.update(*_columns(2))
    whole.update(*_columns(2))
    assert torch.equal(copy.compute(), whole.compute())
    copy.reset()
    assert (len(copy.preds), len(metric.preds)) == (0, 2)
