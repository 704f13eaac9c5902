from __future__ import annotations

import numpy as np
import pytest

from raymon.board.downsample import downsample, without_usual_gaps


def _curve(seed: int, count: int = 3000):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.exponential(1.0, count))
    y = rng.normal(0, 1, count)
    y[rng.integers(0, count, 3)] = 1e6, -1e6, 1e5
    for begin in rng.integers(0, count, 4):
        y[begin : begin + rng.integers(1, 40)] = np.nan
    return x, y


def _cells(x, count):
    """The points of each cell, by the definition: cells of equal width."""
    edges = [x[0] + (x[-1] - x[0]) * i / count for i in range(1, count)]
    places = [sum(value >= edge for edge in edges) for value in x]
    return [[i for i, place in enumerate(places) if place == cell] for cell in range(count)]


@pytest.mark.parametrize("seed", range(4))
def test_each_cell_keeps_its_ends_and_its_extremes(seed):
    x, y = _curve(seed)
    kept = set(downsample(x, y, 80).tolist())
    for cell in _cells(x, 20):
        finite = [i for i in cell if np.isfinite(y[i])]
        if finite:
            assert {finite[0], finite[-1]} <= kept
            assert max(y[i] for i in finite) in y[sorted(kept & set(finite))]
            assert min(y[i] for i in finite) in y[sorted(kept & set(finite))]
        gaps = [i for i in cell if np.isnan(y[i])]
        if gaps:
            assert {gaps[0], gaps[-1]} <= kept


@pytest.mark.parametrize("seed", range(4))
def test_no_line_is_drawn_over_a_gap_that_is_wider_than_a_cell(seed):
    x, y = _curve(seed)
    begin = 1000
    y[begin : begin + 400] = np.nan
    kept = downsample(x, y, 80)
    finite = kept[np.isfinite(y[kept])]
    before, after = finite[finite < begin].max(), finite[finite >= begin + 400].min()
    assert np.isnan(y[kept[(kept > before) & (kept < after)]]).any()
    assert np.isfinite(y[before + 1 : begin]).sum() == 0


def test_a_curve_of_few_points_is_kept_as_it_is():
    x, y = _curve(0)
    assert downsample(x, y, len(x)).tolist() == list(range(len(x)))
    assert downsample(x[:1], y[:1], 4).tolist() == [0]
    assert downsample(x[:0], y[:0], 4).tolist() == []


def test_there_are_few_points_where_there_are_no_gaps():
    x = np.arange(100_000.0)
    y = np.random.default_rng(0).normal(0, 1, len(x))
    assert len(downsample(x, y, 1000)) <= 1000


def test_points_at_one_place_keep_their_extremes():
    y = np.arange(100.0)
    assert {0, 99} <= set(downsample(np.full(100, 7.0), y, 8).tolist())


def test_what_is_measured_at_times_has_gaps_only_where_it_was_left_out():
    y = np.full(100, np.nan)
    y[::10] = 1.0
    assert without_usual_gaps(y).tolist() == list(range(0, 100, 10))
    y[40:60] = np.nan
    kept = without_usual_gaps(y)
    assert np.isfinite(y[kept]).sum() == 8
    assert np.isnan(y[kept]).tolist() == [False] * 4 + [True] + [False] * 4


def test_what_is_measured_always_keeps_every_gap():
    y = np.array([np.nan, 1.0, np.nan, 2.0, 3.0, 4.0, np.nan])
    assert without_usual_gaps(y).tolist() == list(range(7))


def test_nothing_measured_is_no_point():
    assert without_usual_gaps(np.full(5, np.nan)).tolist() == []
