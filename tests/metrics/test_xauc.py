"""XAUC: the share of concordant pairs, exact, of a sample, or within batches."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics import MetricCollection

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import LABELS, NAN_SCORES, WEIGHTS
from raymon.metrics.decay.states import compute_states, merge_states, take_window_states
from raymon.metrics.numerics.sampled_pairs import drawn_pairs, mixed
from raymon.metrics.xauc import XAUC

NAN, INF = float("nan"), float("inf")
REAL = st.sampled_from([-2.0, -0.0, 0.0, 0.5, 0.5000001, 1.0, 1e30])
ROW = st.tuples(REAL, REAL, st.sampled_from([0.0, 0.25, 1.0, 3.3]))
KINDS = {
    "exact": XAUC,
    "of a ratio": lambda: XAUC(sample_ratio=0.3),
    "of some pairs": lambda: XAUC(max_pairs=100),
}
ROWS = 20_000


def _columns(rows: list[tuple[float, float, float]]) -> list[Tensor]:
    return [torch.tensor([row[i] for row in rows], dtype=torch.float32) for i in range(3)]


def _value(metric: XAUC, *columns: Tensor | None) -> float:
    metric.update(*columns)
    return metric.compute().item()


def _watch_times(rows: int = ROWS, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Returns scores and log-normal labels that agree somewhat; many labels are 0."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=rows)
    label = np.exp(3 + 0.6 * score + rng.normal(size=rows))
    label[rng.random(rows) < 0.2] = 0
    return torch.tensor(score), torch.tensor(label, dtype=torch.float32)


def _by_pairs(score: Tensor, label: Tensor, weight: Tensor) -> tuple[float, float]:
    """Returns the weight of concordant pairs, and of all, by the definition."""
    ascends = (score.unsqueeze(1) < score) & (label.unsqueeze(1) < label)
    both = weight.double().unsqueeze(1) * weight.double()
    return (both * ascends).sum().item(), both.triu(1).sum().item()


@settings(deadline=None, max_examples=150)
@given(st.lists(ROW, max_size=40), st.booleans())
def test_is_the_share_of_pairs_with_labels_and_scores_in_one_order(
    rows: list[tuple[float, float, float]], weighted: bool
) -> None:
    score, label, weight = _columns(rows)
    weight = weight if weighted else torch.ones(len(rows))
    concordant, pairs = _by_pairs(score, label, weight)
    value = _value(XAUC(), score, label, weight if weighted else None)
    # Of equal labels alone there is nothing to be in order with.
    expected = concordant / pairs if pairs and len(label[weight > 0].unique()) > 1 else NAN
    assert value == pytest.approx(expected, rel=1e-10, nan_ok=True)


@pytest.mark.parametrize(
    ("preds", "target", "value"),
    [
        ([], [], NAN),
        ([0.5], [1.0], NAN),
        ([0.1, 0.2], [1, 2], 1),
        ([0.2, 0.1], [1, 2], 0),
        ([0.1, 0.2], [1, 1], NAN),
        ([0.1, 0.1], [1, 2], 0),
        ([0.1, 0.2, 0.2], [False, True, True], 2 / 3),
    ],
)
def test_pairs_that_tie_are_not_concordant_and_count(
    preds: list[float], target: list[float], value: float
) -> None:
    preds, target = torch.tensor(preds), torch.tensor(target)
    for metric in (XAUC(), XAUC(sample_ratio=1), XAUC(max_pairs=1), XAUC(in_batch=True)):
        if len(preds) < 3 or metric.sample_ratio is metric.max_pairs is None:
            assert _value(metric, preds, target) == pytest.approx(value, abs=1e-12, nan_ok=True)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(ROW, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    kind=st.sampled_from(sorted(KINDS)),
    weighted=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_no_split_or_order_of_the_rows_changes_a_bit(rows, cuts, kind, weighted, random) -> None:
    given_columns = 3 if weighted else 2
    whole = _value(KINDS[kind](), *_columns(rows)[:given_columns])
    random.shuffle(rows)
    columns = _columns(rows)[:given_columns]
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    split, parts = KINDS[kind](), []
    for start, end in pairwise(edges):
        part = [column[start:end] for column in columns]
        split.update(*part)
        alone = KINDS[kind]()
        alone.update(*part)
        parts.append(take_window_states(alone))
    merged = compute_states(KINDS[kind](), merge_states(KINDS[kind](), parts[::-1])).value.item()
    assert np.array_equal([split.compute().item(), merged], [whole, whole], equal_nan=True)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("power", [2.0**-40, 0.5, 2.0**40])
def test_scores_times_a_power_of_2_give_the_same(kind: str, power: float) -> None:
    score, label = _watch_times(3_000)
    assert _value(KINDS[kind](), score * power, label) == _value(KINDS[kind](), score, label)


def test_scores_in_reverse_give_what_is_missing_to_1_where_none_tie() -> None:
    score, _ = _watch_times()
    label = score + torch.randn(ROWS, generator=torch.Generator().manual_seed(0))
    value = _value(XAUC(), score, label)
    assert _value(XAUC(), -score, label) == pytest.approx(1 - value, abs=1e-15)


@pytest.mark.parametrize("kind", [*KINDS, "in batch"])
def test_weights_that_are_all_equal_change_nothing(kind: str) -> None:
    score, label = _watch_times(3_000)
    new = KINDS.get(kind, lambda: XAUC(in_batch=True))
    value = _value(new(), score, label, torch.full((3_000,), 0.3))
    assert value == pytest.approx(_value(new(), score, label), abs=1e-12)


def test_a_row_of_weight_0_is_as_good_as_none() -> None:
    score, label = _watch_times(3_000)
    weights = torch.rand(3_000, generator=torch.Generator().manual_seed(0)).sub(0.3).clamp(min=0)
    there = weights > 0
    assert _value(XAUC(), score, label, weights) == _value(
        XAUC(), score[there], label[there], weights[there]
    )


def test_a_weight_is_a_number_of_copies_that_make_no_pairs_with_each_other() -> None:
    score, label = _watch_times(1_000)
    copies = torch.randint(0, 4, (1_000,), generator=torch.Generator().manual_seed(0))
    rows = int(copies.sum())
    pairs = rows * (rows - 1) // 2
    of_copies = int((copies * (copies - 1) // 2).sum())
    copied = _value(XAUC(), *(x.repeat_interleave(copies) for x in (score, label)))
    weighted = _value(XAUC(), score, label, copies.float())
    assert weighted * (pairs - of_copies) == pytest.approx(copied * pairs, rel=1e-14)


def test_float64_is_not_rounded() -> None:
    near = torch.tensor([1.0, 1.0 + 1e-15], dtype=torch.float64)
    assert _value(XAUC(), near, near) == 1
    assert _value(XAUC(), near.float(), near) == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("in_batch", [False, True])
def test_narrow_scores_are_compared_as_they_are(dtype: torch.dtype, in_batch: bool) -> None:
    score, label = _watch_times(1_000)
    score = score.to(dtype)
    value = _value(XAUC(in_batch=in_batch), score, label.int())
    concordant, pairs = _by_pairs(score, label.int(), torch.ones(1_000))
    assert value == pytest.approx(concordant / pairs, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_sample_is_as_near_as_its_size_allows(weighted: bool, seed: int) -> None:
    score, label = _watch_times(seed=seed)
    weights = [torch.rand(ROWS, generator=torch.Generator().manual_seed(seed))] * weighted
    exact = _value(XAUC(), score, label, *weights)
    pairs = ROWS * (ROWS - 1) // 2
    for metric, draws in (
        (XAUC(sample_ratio=1e-3), int(pairs * 1e-3)),
        (XAUC(max_pairs=50_000), 50_000),
        (XAUC(sample_ratio=1e-6, max_pairs=400_000), 400_000),
    ):
        # Weights from 0 to 1 make the pairs count for 9/16 as many.
        deviation = (exact * (1 - exact) / draws) ** 0.5 * (4 / 3 if weighted else 1)
        assert 0 < abs(_value(metric, score, label, *weights) - exact) < 4 * deviation


def test_a_sample_does_not_depend_on_the_seed_of_torch() -> None:
    score, label = _watch_times(3_000)
    values = set()
    for seed in range(3):
        torch.manual_seed(seed)
        values.add(_value(XAUC(max_pairs=1_000), score, label))
        assert torch.initial_seed() == seed
    assert len(values) == 1


@pytest.mark.parametrize("size", [2, 3, 7])
def test_all_pairs_are_drawn_equally_often(size: int) -> None:
    draws = 200_000
    low, high = drawn_pairs(
        mixed(torch.full((draws,), 5)), torch.arange(draws), torch.full((draws,), size)
    )
    assert (low < high).all()
    counts = torch.bincount(low * size + high, minlength=size * size).view(size, size)
    pairs = size * (size - 1) // 2
    there = torch.ones(size, size).triu(1).bool()
    assert counts[~there].sum() == 0
    expected = draws / pairs
    chi_square = ((counts[there] - expected) ** 2 / expected).sum().item()
    assert chi_square <= pairs + 4 * (2 * pairs) ** 0.5


def test_in_batch_is_the_mean_of_the_exact_values_of_batches() -> None:
    score, label = _watch_times(5_000)
    cuts = [0, 0, 1, 3, 500, 501, 5_000]
    metric = XAUC(sample_ratio=0.1, max_pairs=3, in_batch=True)
    values = []
    for start, end in pairwise(cuts):
        metric.update(score[start:end], label[start:end])
        if end - start > 1:
            values.append(_value(XAUC(), score[start:end], label[start:end]))
    assert metric.batches == len(values) == 3
    assert metric.compute().item() == pytest.approx(np.mean(values), abs=1e-12)


def test_in_batch_leaves_out_batches_whose_pairs_weigh_nothing() -> None:
    metric = XAUC(in_batch=True)
    metric.update(torch.tensor([0.1, 0.2]), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0]))
    assert metric.compute().isnan()
    metric.update(torch.tensor([0.1, 0.2]), torch.tensor([1.0, 2.0]))
    assert metric.compute() == 1


def test_in_batch_keeps_no_rows_and_its_batches_are_not_joined() -> None:
    metric = XAUC(in_batch=True)
    metric.update(*_watch_times(100))
    states = take_window_states(metric)
    assert {name: list(state.shape) for name, state in states.items()} == {
        "invalid": [4],
        "shares": [],
        "batches": [],
    }
    assert all(state.dtype == torch.int64 for state in states.values())
    assert not metric.rows_are_independent
    assert XAUC().rows_are_independent


@pytest.mark.parametrize("rows", [0, 1, 5, 500])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("in_batch", [False, True])
def test_updates_depend_on_no_data(
    rows: int, weighted: bool, dtype: torch.dtype, in_batch: bool
) -> None:
    with torch.device("meta"):
        metric = XAUC(in_batch=in_batch)
        weights = torch.rand(rows) if weighted else None
        metric.update(torch.rand(rows, dtype=dtype), torch.ones(rows, dtype=torch.int64), weights)
        assert {x.device.type for x in take_window_states(metric).values()} == {"meta"}


@pytest.mark.parametrize("kind", [*KINDS, "in batch"])
@pytest.mark.parametrize(
    ("column", "bad", "position"),
    [
        (0, NAN, NAN_SCORES),
        (1, NAN, LABELS),
        (1, -INF, LABELS),
        (2, NAN, WEIGHTS),
        (2, INF, WEIGHTS),
        (2, -1.0, WEIGHTS),
    ],
)
def test_bad_input_is_counted_and_never_gives_a_number(
    kind: str, column: int, bad: float, position: int
) -> None:
    metric = KINDS.get(kind, lambda: XAUC(in_batch=True))()
    columns = [*_watch_times(100), torch.ones(100)]
    assert np.isfinite(_value(metric, *columns))
    assert metric.input_errors() == {}
    columns[column] = columns[column].clone()
    columns[column][7] = bad
    assert np.isnan(_value(metric, *columns))
    expected = [0] * 4
    expected[position] = 1
    assert metric.found_invalid.tolist() == expected


def test_infinite_scores_are_the_lowest_and_the_highest() -> None:
    metric = XAUC()
    assert _value(metric, torch.tensor([-INF, -1e38, 1e38, INF]), torch.arange(4)) == 1
    assert metric.input_errors() == {}


def test_in_a_collection_exact_and_sampled_share_their_rows() -> None:
    score, label = _watch_times(1_000)
    metrics = {"exact": XAUC(), "sampled": XAUC(max_pairs=500), "batch": XAUC(in_batch=True)}
    collection = MetricCollection(metrics)
    for _ in range(2):
        collection.update(score, label)
    assert len(collection.compute_groups) == 2
    values = collection.compute()
    assert values["exact"] == _value(XAUC(), score.repeat(2), label.repeat(2))
    assert values["sampled"] == _value(XAUC(max_pairs=500), score.repeat(2), label.repeat(2))
    assert values["batch"].item() == pytest.approx(_value(XAUC(), score, label), abs=1e-12)


def test_what_cannot_be_is_refused() -> None:
    for ratio in (0.0, -0.1, 1.1, NAN):
        with pytest.raises(UserError, match=r"XAUC: sample_ratio is .*; it must be above 0"):
            XAUC(sample_ratio=ratio)
    with pytest.raises(UserError, match="XAUC: max_pairs is 0; it must be at least 1"):
        XAUC(max_pairs=0)
    for in_batch in (False, True):
        with pytest.raises(UserError, match=r"XAUC: preds \[3\], target \[2\]"):
            XAUC(in_batch=in_batch).update(torch.rand(3), torch.rand(2))


@settings(deadline=None, max_examples=100)
@given(st.lists(ROW, max_size=40), st.sampled_from([None, 1e-9, 1.0, 1e9]))
def test_it_says_what_tied_labels_cost(
    rows: list[tuple[float, float, float]], scale: float | None
) -> None:
    score, label, weight = _columns(rows)
    weight = weight.double() * scale if scale else torch.ones(len(rows))
    metric = XAUC()
    metric.update(score, label, *([weight] if scale else []))
    metric.compute()
    both = (weight.double().unsqueeze(1) * weight.double()).triu(1)
    tied = (both * (label.unsqueeze(1) == label)).sum() / both.sum()
    expected = {"tied_labels": pytest.approx(tied.item(), rel=1e-9, abs=1e-15, nan_ok=True)}
    assert metric.details() == expected
    assert (metric.why_no_value() is None) == (len(label[weight > 0].unique()) > 1)
