"""BinnedXAUC: XAUC from counts that merge, near the exact value and within its bound."""

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
from raymon.metrics.binned_xauc import LABEL_BINS, SCORE_BINS, BinnedXAUC
from raymon.metrics.decay.states import merge_states, take_window_states
from raymon.metrics.numerics.fixed_point import WEIGHT_BITS
from raymon.metrics.numerics.real_bins import SLOTS, slots
from raymon.metrics.xauc import XAUC

NAN, INF = float("nan"), float("inf")
ROWS = 100_000


def _metric(*columns: Tensor) -> BinnedXAUC:
    metric = BinnedXAUC()
    metric.update(*columns)
    return metric


def _exact(*columns: Tensor) -> float:
    metric = XAUC()
    metric.update(*columns)
    return metric.compute().item()


def _distinct(values: list[float]) -> list[float]:
    """Returns the values without those that share a bin and a slot with another one."""
    column = torch.tensor(values)
    places = [
        (bins.index(column) * SLOTS + slots(column)).tolist() for bins in (SCORE_BINS, LABEL_BINS)
    ]
    return [x for i, x in enumerate(values) if all(place.index(place[i]) == i for place in places)]


# Bins with several values, and bins far from each other.
NEAR = [0.3, 0.301, 0.302, 0.303, 1.0, 1.01, 1.02, 5.0, 5.01, 5.02, 5.5, 100.0, 103.0, 105.0]
VALUES = _distinct([0.0, *(sign * x for sign in (1, -1) for x in (1e-30, 1e-3, *NEAR, 1e30))])
ROW = st.tuples(
    st.sampled_from(VALUES), st.sampled_from(VALUES), st.sampled_from([0.0, 0.5, 1.0, 3.3])
)
Row = tuple[float, float, float]


def _columns(rows: list[Row]) -> list[Tensor]:
    return [torch.tensor([row[i] for row in rows], dtype=torch.float32) for i in range(3)]


def _scores(
    kind: str, correlation: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns scores, and what labels are made from: both standard normal except for the kind."""
    latent = rng.normal(size=ROWS)
    noise = rng.normal(size=ROWS) * (1 - correlation**2) ** 0.5
    score = correlation * latent + noise
    return {
        "standard": score,
        "logarithms": 3 + 1.2 * correlation * score,
        "seconds": np.exp(3 + 1.2 * correlation * score),
        "probabilities": 1 / (1 + np.exp(-correlation * score)),
        "bfloat16": torch.tensor(1 / (1 + np.exp(-score))).bfloat16().float().numpy(),
    }[kind], latent


def _labels(kind: str, latent: np.ndarray) -> np.ndarray:
    seconds = np.exp(3 + 1.2 * latent)
    return {
        "seconds": seconds,
        "whole seconds": np.floor(seconds),
        "milliseconds": np.floor(1_000 * seconds),
        "ratings": np.clip(np.round(3 + 1.2 * latent), 1, 5),
        "fifths": np.clip(np.round(3 + 1.2 * latent), 1, 5) / 5,
        "many zeros": np.where(latent < -0.25, 0, seconds),
    }[kind]


@pytest.mark.parametrize("correlation", [0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    "scores", ["standard", "logarithms", "seconds", "probabilities", "bfloat16"]
)
@pytest.mark.parametrize(
    "labels", ["seconds", "whole seconds", "milliseconds", "ratings", "fifths", "many zeros"]
)
def test_is_near_the_exact_value_and_nearer_than_its_bound(
    labels: str, scores: str, correlation: float
) -> None:
    rng = np.random.default_rng(0)
    score, latent = _scores(scores, correlation, rng)
    columns = [torch.tensor(x, dtype=torch.float32) for x in (score, _labels(labels, latent))]
    metric = _metric(*columns)
    error = abs(metric.compute().item() - _exact(*columns))
    assert error < (1.5e-3 if scores == "bfloat16" else 5e-4)
    assert error <= metric.error_bound < 0.12


@settings(deadline=None, max_examples=300)
@given(st.lists(ROW, max_size=30), st.booleans())
def test_the_bound_holds_for_any_rows(rows: list[Row], weighted: bool) -> None:
    score, label, weight = _columns(rows)
    # Equal weights are the same as none; others can be off by what a row weighs with itself.
    columns = [score, label] + [torch.full_like(weight, 0.3)] * weighted
    metric, exact = _metric(*columns), _exact(*columns)
    value = metric.compute().item()
    assert np.isnan(value) == np.isnan(exact)
    if not np.isnan(value):
        assert 0 <= value <= 1 + 1e-12
        assert abs(value - exact) <= metric.error_bound.item() + 1e-9


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(-4, 16), st.integers(0, 16)), max_size=40))
def test_is_exact_where_each_value_has_a_bin_to_itself(rows: list[tuple[int, int]]) -> None:
    score, label = (torch.tensor([row[i] for row in rows], dtype=torch.float32) for i in range(2))
    metric = _metric(score, label)
    assert metric.compute().item() == pytest.approx(_exact(score, label), abs=1e-12, nan_ok=True)
    assert metric.error_bound.nan_to_num() == 0


@pytest.mark.parametrize("value", [0.0, 0.25, -3.7, 1e30])
def test_constant_scores_give_0_and_constant_labels_no_value(value: float) -> None:
    constant, other = torch.full((1_000,), value), torch.rand(1_000)
    metric = _metric(constant, other)
    assert (metric.compute(), metric.error_bound) == (0, 0)
    for scores in (other, constant):
        metric = _metric(scores, constant)
        assert metric.compute().isnan()
        assert metric.why_no_value() == "all labels are equal"


def test_a_pair_that_shares_a_bin_may_be_either() -> None:
    metric = _metric(torch.tensor([0.3, 0.301]), torch.tensor([1.0, 5.0]))
    assert metric.compute() == 0.5
    assert metric.error_bound == 0.5


def test_scores_in_reverse_give_what_is_missing_to_1_where_none_tie() -> None:
    generator = torch.Generator().manual_seed(0)
    score = torch.rand(ROWS, generator=generator) + 1
    label = score + torch.rand(ROWS, generator=generator)
    there, back = _metric(score, label), _metric(3 - score, label)
    assert (there.compute() + back.compute()).item() == pytest.approx(1, abs=5e-4)


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(ROW, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    weighted=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_any_split_and_order_of_the_rows_gives_bit_equal_states(
    rows, cuts, weighted, random
) -> None:
    given_columns = 3 if weighted else 2
    whole = take_window_states(_metric(*_columns(rows)[:given_columns]))
    random.shuffle(rows)
    columns = _columns(rows)[:given_columns]
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = [
        take_window_states(_metric(*(column[start:end] for column in columns)))
        for start, end in pairwise(edges)
    ]
    merged = merge_states(BinnedXAUC(), parts)
    assert all(torch.equal(merged[name], state) for name, state in whole.items())
    assert {state.dtype for state in whole.values()} == {torch.int64}


def test_a_weight_is_a_number_of_copies_in_all_cells() -> None:
    generator = torch.Generator().manual_seed(0)
    score, label = torch.randn(2, 1_000, generator=generator)
    copies = torch.randint(0, 4, (1_000,), generator=generator)
    weighted = _metric(score, label, copies.float())
    copied = _metric(score.repeat_interleave(copies), label.repeat_interleave(copies))
    for name in ("cells", "score_slots", "label_slots"):
        state = getattr(weighted, name)
        assert torch.equal(state, getattr(copied, name))
        assert state.sum() == int(copies.sum()) << WEIGHT_BITS
    assert weighted.rows == torch.count_nonzero(copies)


def test_weights_count_as_they_do_exactly() -> None:
    generator = torch.Generator().manual_seed(0)
    score = torch.randn(ROWS, generator=generator)
    label = score + torch.randn(ROWS, generator=generator)
    weights = 4 * torch.rand(ROWS, generator=generator) * (label > 0) + 0.1
    metric = _metric(score, label, weights)
    assert metric.compute().item() == pytest.approx(_exact(score, label, weights), abs=3e-4)
    assert metric.compute().item() != pytest.approx(_exact(score, label), abs=3e-3)


@pytest.mark.parametrize("bins", [SCORE_BINS, LABEL_BINS], ids=["scores", "labels"])
def test_bins_are_in_the_order_of_the_values_and_each_is_reached(bins) -> None:
    powers = torch.arange(-149, 128, 1 / 64, dtype=torch.float64).exp2().float()
    values = torch.cat([-powers, torch.tensor([-INF, 0.0, INF]), powers]).sort().values
    index = bins.index(values)
    assert index.dtype == torch.int32
    assert index.unique().tolist() == list(range(bins.count))
    assert (index.diff() >= 0).all()
    assert (index == bins.index(torch.zeros(1))).sum() == 1
    nan = torch.tensor([NAN]).copysign(torch.tensor([1.0, -1.0]))
    assert bins.index(nan).tolist() == [bins.count - 1, 0]


def test_states_are_as_large_as_the_docstring_says() -> None:
    metric = BinnedXAUC()
    shapes = {name: tuple(state.shape) for name, state in metric.metric_state.items()}
    shapes = {name: shape for name, shape in shapes.items() if not name.endswith("_slices")}
    assert shapes == {
        "invalid": (4,),
        "cells": (327, 173),
        "score_slots": (327, 16),
        "label_slots": (173, 16),
        "rows": (),
        "weighted": (),
    }
    for shape in shapes.values():
        assert str(list(shape)) in BinnedXAUC.__doc__ or len(shape) < 2


def test_different_values_share_a_slot_as_often_as_by_chance() -> None:
    for values in (
        torch.arange(1, 4_096).float(),
        torch.arange(1, 4_096).float() / 100,
        torch.arange(1, 4_096).float().log1p(),
        torch.linspace(0.01, 0.99, 4_000).bfloat16().float().unique(),
    ):
        slot = slots(values)
        # Neighbours, which share a bin.
        pairs = torch.cat([slot[i:] == slot[:-i] for i in range(1, 9)])
        deviation = (15 / 16 / 16 / len(pairs)) ** 0.5
        assert abs(pairs.double().mean() - 1 / 16) < 5 * deviation


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_a_row_falls_into_the_same_bins_whatever_type_holds_it(dtype: torch.dtype) -> None:
    score = torch.randn(1_000, generator=torch.Generator().manual_seed(0)).bfloat16().half()
    label = torch.randint(0, 100, (1_000,), generator=torch.Generator().manual_seed(0))
    single = _metric(score.float(), label.float())
    for columns in ((score.to(dtype), label), (score.to(dtype), label.double())):
        assert torch.equal(_metric(*columns).cells, single.cells)
    flags = label > 50
    assert torch.equal(_metric(score, flags).cells, _metric(score, flags.float()).cells)


def test_0_and_minus_0_are_one_value() -> None:
    zeros, label = torch.tensor([0.0, -0.0]), torch.tensor([1.0, 2.0])
    assert _metric(zeros, label).compute() == 0
    assert _metric(label, zeros).compute().isnan()


@pytest.mark.parametrize("rows", [0, 1])
def test_without_a_pair_there_is_no_value(rows: int) -> None:
    for weights in ([], [torch.rand(rows)]):
        assert _metric(torch.rand(rows), torch.rand(rows), *weights).compute().isnan()
    assert _metric(torch.rand(9), torch.rand(9), torch.zeros(9)).compute().isnan()


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
    column: int, bad: float, position: int
) -> None:
    columns = [torch.rand(100), torch.rand(100), torch.ones(100)]
    metric = _metric(*columns)
    assert metric.compute().isfinite()
    assert metric.input_errors() == {}
    columns[column][7] = bad
    metric.update(*columns)
    assert metric.compute().isnan()
    assert (metric.cells >= 0).all()
    expected = [0] * 4
    expected[position] = 1
    assert metric.found_invalid.tolist() == expected


def test_infinite_scores_are_the_lowest_and_the_highest() -> None:
    metric = _metric(torch.tensor([-INF, -1.0, 1.0, INF]), torch.arange(4))
    assert metric.compute() == 1
    assert metric.input_errors() == {}


@pytest.mark.parametrize("rows", [0, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_updates_depend_on_no_data(rows: int, weighted: bool) -> None:
    with torch.device("meta"):
        weights = torch.rand(rows) if weighted else None
        states = take_window_states(_metric(torch.rand(rows), torch.ones(rows).int(), weights))
    assert {state.device.type for state in states.values()} == {"meta"}


def test_in_a_collection_it_stays_itself() -> None:
    score, label = torch.rand(100), torch.rand(100)
    collection = MetricCollection({"binned": BinnedXAUC(), "exact": XAUC()})
    for _ in range(2):
        collection.update(score, label)
    values = collection.compute()
    assert values["exact"] == _exact(score.repeat(2), label.repeat(2))
    assert values["binned"] == _metric(score.repeat(2), label.repeat(2)).compute()


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(UserError, match=r"BinnedXAUC: preds \[3\], target \[2\]"):
        _metric(torch.rand(3), torch.rand(2))


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_holds_where_few_rows_have_most_of_the_weight(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(300, generator=generator).mul(10).round() / 10
    labels = torch.randint(1, 6, (300,), generator=generator).float()
    weights = torch.rand(300, generator=generator).reciprocal().clamp(max=1e5)
    binned, exact = BinnedXAUC(), XAUC()
    for metric in (binned, exact):
        metric.update(scores, labels, weights)
    off = abs(binned.compute().item() - exact.compute().item())
    assert binned.error_bound is not None
    assert off <= binned.error_bound.item() + 1e-9
