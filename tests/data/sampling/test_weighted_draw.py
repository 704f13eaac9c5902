from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.data.sampling.weighted_draw import WeightedDraw


def draw(weights: list[float], count: int, excluded: list[int], seed: int = 0) -> np.ndarray:
    drawing = WeightedDraw(np.array(weights, np.float64))
    generator = np.random.Generator(np.random.Philox(seed))
    return drawing.draw(generator, count, np.array(excluded, np.int64))


def test_an_index_comes_in_proportion_to_its_weight() -> None:
    weights = np.array([1, 0, 3, 4, 2.0])
    found = np.bincount(draw(list(weights), 200_000, []), minlength=5) / 200_000
    assert found == pytest.approx(weights / 10, abs=0.005)


@pytest.mark.parametrize("excluded", [[3], [0, 2, 3]])
def test_what_is_left_keeps_its_proportions(excluded: list[int]) -> None:
    weights = np.array([1, 0, 3, 4, 2, 2.0])
    found = np.bincount(draw(list(weights), 100_000, excluded), minlength=6) / 100_000
    weights[excluded] = 0
    assert found == pytest.approx(weights / weights.sum(), abs=0.01)


@given(
    weights=st.lists(st.sampled_from([0, 1e-300, 0.5, 1, 1e6, 1e300]), min_size=1, max_size=9),
    data=st.data(),
    seed=st.integers(0, 99),
)
def test_neither_what_is_excluded_nor_what_weighs_nothing_comes(
    weights: list[float], data: st.DataObject, seed: int
) -> None:
    if not sum(weights):
        return
    excluded = data.draw(st.lists(st.integers(0, len(weights) - 1)))
    found = draw(weights, 20, excluded, seed)
    left = [i for i, weight in enumerate(weights) if weight and i not in excluded]
    assert set(found) <= set(left)
    assert len(found) == (20 if left else 0)


def test_draws_of_one_object_do_not_depend_on_those_before() -> None:
    drawing = WeightedDraw(np.ones(10))
    generators = [np.random.Generator(np.random.Philox(3)) for _ in range(2)]
    one = drawing.draw(generators[0], 50, np.array([1, 2]))
    drawing.draw(np.random.Generator(np.random.Philox(4)), 50, np.array([5]))
    assert (one == drawing.draw(generators[1], 50, np.array([1, 2]))).all()
