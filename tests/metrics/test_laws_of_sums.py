"""Laws of every metric whose states are sums, whatever the samples."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics import MetricCollection

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import CheckedMetric
from raymon.metrics.base.weight_tables import LARGEST
from raymon.metrics.decay.states import compute_states, merge_states, take_window_states
from tests.metrics.sums import ALL, BINARY, CLASSES, MULTICLASS, REAL, SHAPES, Columns, rows_for

NAN, INF = math.nan, math.inf
CASES = {
    "name": st.sampled_from(sorted(ALL)),
    "shape": st.sampled_from(SHAPES),
    "rows": st.sampled_from([1, 2, 3, 50]),
    "seed": st.integers(0, 1 << 30),
}
GROUPS = {"binary": BINARY, "real": REAL, "class": MULTICLASS}


def _updated(name: str, *parts: tuple[Tensor, ...]) -> CheckedMetric:
    metric = ALL[name]()
    for part in parts:
        metric.update(*part)
    return metric


def _same_states(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def _take(columns: Columns, index: Tensor | slice) -> Columns:
    preds, target, weights = columns
    return preds[index], target[index], weights[index]


@settings(deadline=None, max_examples=200)
@given(**CASES, cuts=st.lists(st.integers(0, 50), max_size=4), weighted=st.booleans())
def test_any_split_of_the_rows_gives_bit_equal_states(
    name, shape, rows, seed, cuts, weighted
) -> None:
    columns = rows_for(name, rows, shape, seed)[: 3 if weighted else 2]
    whole = take_window_states(_updated(name, columns))
    edges = [0, *sorted(min(cut, rows) for cut in cuts), rows]
    parts = [
        take_window_states(_updated(name, tuple(column[a:b] for column in columns)))
        for a, b in pairwise(edges)
    ]
    assert _same_states(merge_states(ALL[name](), parts), whole)


@settings(deadline=None, max_examples=200)
@given(**CASES)
def test_permuted_rows_give_bit_equal_states(name, shape, rows, seed) -> None:
    columns = rows_for(name, rows, shape, seed)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    permuted = take_window_states(_updated(name, _take(columns, order)))
    assert _same_states(permuted, take_window_states(_updated(name, columns)))


@settings(deadline=None, max_examples=200)
@given(**CASES, scale=st.sampled_from([1e-9, 1e-7, 1e-5, 1 / 3, 1e6, 1e12]))
def test_only_the_ratios_of_weights_matter(name, shape, rows, seed, scale) -> None:
    preds, target, weights = rows_for(name, rows, shape, seed)
    value = _updated(name, (preds, target, weights)).compute().item()
    scaled = _updated(name, (preds, target, weights * scale)).compute().item()
    if not math.isinf(scaled):  # the squares of huge errors, times 1e12, have no float32
        assert scaled == pytest.approx(value, rel=1e-6, nan_ok=True)


@settings(deadline=None, max_examples=200)
@given(**CASES, weight=st.sampled_from([1e-12, 1e-7, 1 / 640, 1e-3, 7.0, 1e12]))
def test_equal_weights_are_no_weights(name, shape, rows, seed, weight) -> None:
    preds, target, _ = rows_for(name, rows, shape, seed)
    value = _updated(name, (preds, target)).compute().item()
    weighted = _updated(name, (preds, target, torch.full((rows,), weight))).compute().item()
    if not math.isinf(weighted):
        assert weighted == pytest.approx(value, rel=1e-6, nan_ok=True)


@settings(deadline=None, max_examples=200)
@given(**CASES, power=st.integers(1, 14))
def test_weights_times_a_power_of_2_leave_the_value(name, shape, rows, seed, power) -> None:
    preds, target, weights = rows_for(name, rows, shape, seed)
    value = _updated(name, (preds, target, weights)).compute().item()
    scaled = _updated(name, (preds, target, weights * 2**power)).compute().item()
    assert scaled == pytest.approx(value, rel=1e-12, nan_ok=True)


@settings(deadline=None, max_examples=200)
@given(**CASES)
def test_every_row_twice_leaves_the_value(name, shape, rows, seed) -> None:
    columns = rows_for(name, rows, shape, seed)
    value = _updated(name, columns).compute().item()
    twice = _updated(name, columns, columns).compute().item()
    assert twice == pytest.approx(value, rel=1e-12, nan_ok=True)


@settings(deadline=None, max_examples=200)
@given(**CASES)
def test_a_weight_of_2_is_a_row_given_twice(name, shape, rows, seed) -> None:
    preds, target, _ = rows_for(name, rows, shape, seed)
    heavy = _updated(name, (preds, target, torch.full((rows,), 2.0)))
    twice = _updated(name, (preds, target), (preds, target))
    assert heavy.compute().item() == pytest.approx(twice.compute().item(), rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", ALL)
def test_an_empty_batch_changes_nothing(name: str) -> None:
    columns = rows_for(name, 20)
    empty = torch.empty((0, CLASSES) if name in MULTICLASS else 0)
    states = take_window_states(_updated(name, columns))
    for weights in ((), (torch.empty(0),)):
        parts = (columns, (empty, torch.empty(0), *weights))
        assert _same_states(take_window_states(_updated(name, *parts)), states)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
@pytest.mark.parametrize("name", ALL)
def test_without_samples_there_is_no_value_and_no_error(name: str) -> None:
    value = ALL[name]().compute().item()
    assert math.isnan(value)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_scores_of_any_float_type_count_as_the_numbers_they_are(
    name: str, dtype: torch.dtype
) -> None:
    preds, target, weights = rows_for(name, 200)
    preds[:4], preds[4:8] = 1.0, 0.0
    preds = preds.to(dtype)
    alone = take_window_states(_updated(name, (preds, target, weights)))
    exact = take_window_states(_updated(name, (preds.double(), target, weights)))
    # A threshold that is no number of the type is rounded to one.
    if name != "accuracy_above_a_third":
        assert _same_states(alone, exact)


@pytest.mark.parametrize("name", ALL)
def test_labels_and_weights_may_be_of_any_type(name: str) -> None:
    preds, target, _ = rows_for(name, 200)
    target = target.round().abs().clamp(max=1)
    expected = take_window_states(_updated(name, (preds, target, target + 1)))
    for label in (torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32):
        for weight in (torch.int64, torch.float16, torch.bfloat16, torch.float32):
            states = _updated(name, (preds, target.to(label), (target + 1).to(weight)))
            assert _same_states(take_window_states(states), expected)


@pytest.mark.parametrize("name", ALL)
def test_a_score_that_has_a_gradient_keeps_it_to_itself(name: str) -> None:
    preds, target, weights = rows_for(name, 20)
    metric = _updated(name, (preds.requires_grad_(), target, weights))
    assert not any(state.requires_grad for state in take_window_states(metric).values())


@settings(deadline=None, max_examples=300)
@given(
    name=st.sampled_from(sorted(ALL)),
    seed=st.integers(0, 1 << 30),
    scores=st.lists(st.sampled_from([NAN, INF, -INF, -1e-45, 1.5, 1e300, 0.5]), max_size=8),
    labels=st.lists(st.sampled_from([NAN, INF, -INF, -1.0, 2.0, 0.5, 1e300, 1.0]), max_size=8),
    weights=st.lists(
        st.sampled_from([NAN, INF, -INF, -1.0, -1e-45, 1e31, 1e-31, 1e300, LARGEST]),
        max_size=8,
    ),
)
def test_every_kind_of_bad_input_is_counted_and_never_raises(
    name, seed, scores, labels, weights
) -> None:
    columns = rows_for(name, 12, "random", seed)
    places = torch.randperm(12, generator=torch.Generator().manual_seed(seed))
    for column, bad in zip(columns, (scores, labels, weights), strict=True):
        rows = places[: len(bad)]
        column[(rows, rows % CLASSES) if column.dim() == 2 else rows] = torch.tensor(
            bad, dtype=torch.float64
        )
    probabilities = name in BINARY or name.startswith("multiclass")
    outside = [s for s in scores if not math.isnan(s) and not 0 <= s <= 1]
    expected = [
        sum(map(math.isnan, scores)),
        len(outside) if probabilities else 0,
        sum(_is_bad_label(name, label) for label in labels),
        sum(weight != LARGEST for weight in weights),
    ]
    metric = _updated(name, columns)
    value = metric.compute().item()
    assert metric.invalid.tolist() == expected
    assert list(metric.input_errors().values()) == [n for n in expected if n]
    if expected[0] or expected[3] or (name in REAL and expected[2]):
        assert math.isnan(value)
    elif name in REAL and any(map(math.isinf, scores)):
        assert not math.isfinite(value)


def _is_bad_label(name: str, label: float) -> bool:
    if name in REAL:
        return not math.isfinite(label)
    return label not in (range(CLASSES) if name in MULTICLASS else (0, 1))


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("first", ["none", "perfect", "zeros", "random"])
def test_in_a_collection_every_metric_has_its_own_value(group: str, first: str) -> None:
    kinds = GROUPS[group]
    preds, target, weights = rows_for(next(iter(kinds)), 40)
    if first == "none":
        preds, target, weights = preds[:0], target[:0], weights[:0]
    elif first == "zeros":
        preds, target, weights = (torch.zeros_like(column) for column in (preds, target, weights))
    elif first == "perfect":
        target = target.round().abs().clamp(max=1)
        preds = torch.eye(CLASSES)[target.long()] if group == "class" else target
    collection = MetricCollection({name: kind() for name, kind in kinds.items()})
    alone = {name: kind() for name, kind in kinds.items()}
    batches = [(preds, target, weights)]
    batches += [rows_for(next(iter(kinds)), 40, "tied", seed) for seed in range(3)]
    for batch in batches:
        collection.update(*batch)
        for metric in alone.values():
            metric.update(*batch)
    values = collection.compute()
    for name, metric in alone.items():
        assert values[name].item() == pytest.approx(metric.compute().item(), abs=0, nan_ok=True)


def test_metrics_with_the_same_sums_are_updated_once() -> None:
    collection = MetricCollection({name: kind() for name, kind in BINARY.items()})
    collection.update(*rows_for("auc", 40))
    groups = [set(group) for group in collection.compute_groups.values() if len(group) > 1]
    assert {"auc", "pr_auc"} in groups
    assert {"normalized_entropy", "normalized_entropy_clamped"} in groups
    assert len(groups) == 2


@pytest.mark.parametrize("name", ALL)
def test_states_apart_from_their_metric_have_its_value_and_bound(name: str) -> None:
    metric = _updated(name, rows_for(name, 40, "tied"))
    computed = compute_states(ALL[name](), dict(metric.metric_state))
    assert computed.value.item() == metric.compute().item()
    assert (computed.error_bound is None) == (metric.error_bound is None)
    if metric.error_bound is not None:
        assert computed.error_bound.item() == metric.error_bound.item()


@pytest.mark.parametrize("name", ALL)
def test_columns_of_different_lengths_are_refused(name: str) -> None:
    preds, target, weights = rows_for(name, 20)
    for columns in ((preds, target[:19]), (preds, target, weights[:1]), (preds[:0], target)):
        with pytest.raises(UserError, match="all must have one dimension and the same length"):
            ALL[name]().update(*columns)
    with pytest.raises(UserError, match="must"):
        ALL[name]().update(preds.reshape(5, 2, -1), target)
