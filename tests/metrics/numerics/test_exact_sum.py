"""Exact sums: of any figures, in any order, and never plausible if a figure is not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from raymon.metrics.numerics.exact_sum import SUM_BINS, add_ones, add_weighted, exact_total

LARGEST = float(np.finfo(np.float32).max)
FIGURES = st.lists(st.floats(0, LARGEST, width=32), max_size=60)


def _sum(*parts: list[float], weight: float = 1.0) -> Tensor:
    bins = torch.zeros(SUM_BINS, dtype=torch.int64)
    for part in parts:
        weights = torch.full((len(part),), weight, dtype=torch.float64)
        add_weighted(bins, torch.tensor(part, dtype=torch.float64), weights)
    return bins


@settings(deadline=None, max_examples=300)
@given(figures=FIGURES)
def test_is_the_sum_of_the_figures_rounded_once(figures: list[float]) -> None:
    assert exact_total(_sum(figures)).item() == pytest.approx(math.fsum(figures), rel=1e-15)


@settings(deadline=None, max_examples=300)
@given(figures=FIGURES, cut=st.integers(0, 60), random=st.randoms(use_true_random=False))
def test_does_not_depend_on_order_or_parts(figures, cut, random) -> None:
    whole = _sum(figures)
    random.shuffle(figures)
    assert torch.equal(_sum(figures[:cut]) + _sum(figures[cut:]), whole)


@settings(deadline=None, max_examples=300)
@given(figures=st.lists(st.floats(1e-30, 1e30), min_size=1, max_size=60))
def test_figures_of_64_bits_move_the_sum_by_less_than_6e_8_of_itself(figures) -> None:
    assert exact_total(_sum(figures)).item() == pytest.approx(math.fsum(figures), rel=6e-8)


@pytest.mark.parametrize("figure", [0.0, 1e-45, 1e-40, 1e-38, 1.17549435e-38, 1.0, 1e38, LARGEST])
def test_the_smallest_and_the_largest_figures_neither_vanish_nor_overflow(figure: float) -> None:
    figure = float(np.float32(figure))
    assert exact_total(_sum([figure] * 1_000)).item() == pytest.approx(1_000 * figure, rel=1e-15)


def test_a_large_figure_does_not_swallow_small_ones() -> None:
    bins = _sum([1e30], *[[1.0] * 1_000] * 1_000)
    assert exact_total(bins - _sum([1e30])).item() == 1_000_000.0


def test_a_weight_scales_a_figure_before_it_is_rounded() -> None:
    for weight in (0.0, 2.0**-16, 1 / 4, 3.0, 2.0**31):
        third = float(np.float32(weight / 3))
        assert exact_total(_sum([1 / 3], weight=weight)).item() == third


def test_no_sum_of_weights_that_are_allowed_overflows() -> None:
    bins = _sum([27.6] * 100_000, weight=2.0**31)
    assert exact_total(bins).item() == pytest.approx(27.6 * 100_000 * 2.0**31, rel=6e-8)


@pytest.mark.parametrize("figure", [math.inf, math.nan, math.copysign(math.nan, -1), 1e39])
def test_what_has_no_float32_makes_the_sum_infinite(figure: float) -> None:
    assert exact_total(_sum([1.0], [figure])).item() == math.inf


def test_ones_are_added_as_figures_of_1() -> None:
    bins = _sum([0.25])
    add_ones(bins, 3)
    add_ones(bins, torch.tensor(4))
    assert torch.equal(bins, _sum([0.25, *[1.0] * 7]))


def test_a_negative_zero_is_a_zero() -> None:
    assert torch.equal(_sum([-0.0]), _sum([0.0]))
