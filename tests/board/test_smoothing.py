from __future__ import annotations

import numpy as np
import pytest

from raymon.board.smoothing import smoothed


def _by_definition(values, weight):
    mean, count, found = 0.0, 0, []
    for value in values:
        if np.isfinite(value):
            mean, count = weight * mean + (1 - weight) * value, count + 1
            found.append(mean / (1 - weight**count))
        else:
            found.append(np.nan)
    return np.array(found)


@pytest.mark.parametrize("weight", [1e-12, 1e-5, 0.01, 0.5, 0.9, 0.999, 0.99999])
def test_a_smoothed_curve_is_the_debiased_mean_of_its_definition(weight):
    values = np.random.default_rng(0).normal(3, 1, 2000)
    values[100:150] = np.nan
    values[0] = np.nan
    expected = _by_definition(values, weight)
    assert np.allclose(smoothed(values, weight), expected, rtol=1e-9, equal_nan=True)


def test_a_constant_stays_what_it_is_from_the_first_value_on():
    assert np.allclose(smoothed(np.full(500, 0.7), 0.99), 0.7)


def test_without_weight_nothing_changes():
    values = np.array([1.0, np.nan, 3.0])
    assert np.array_equal(smoothed(values, 0.0), values, equal_nan=True)


def test_values_are_left_as_they_were():
    values = np.array([1.0, 2.0])
    smoothed(values, 0.5)
    assert values.tolist() == [1.0, 2.0]
