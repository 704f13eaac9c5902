from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.data.profile.cardinality import estimate


@given(st.lists(st.integers(1, 9), min_size=1, max_size=50), st.floats(1, 1000))
def test_the_estimate_is_that_of_the_paper_and_no_more_than_the_rows(
    counts: list[int], more: float
) -> None:
    sampled = sum(counts)
    total = math.ceil(sampled * more)
    found = estimate(np.array(counts), total)
    once = counts.count(1)
    # GEE, section 4: sqrt(n / r) f1 + sum of f_i for i from 2 on.
    expected = math.sqrt(total / sampled) * once + len(counts) - once
    assert found.estimated == min(round(expected), total)
    assert (found.seen, found.once) == (len(counts), once)


@pytest.mark.parametrize("values", [10, 1000, 50_000])
def test_the_error_is_within_the_bound_of_any_estimator(values: int) -> None:
    rows = np.random.default_rng(0).integers(0, values, 100_000)
    truth = len(np.unique(rows))
    for share in (0.01, 0.1, 1.0):
        part = rows[: int(len(rows) * share)]
        found = estimate(np.unique(part, return_counts=True)[1], len(rows)).estimated
        assert max(found / truth, truth / found) <= 1.1 / math.sqrt(share)
    assert found == truth


def test_nothing_has_no_values() -> None:
    assert estimate(np.array([], np.int64), 0).estimated == 0
