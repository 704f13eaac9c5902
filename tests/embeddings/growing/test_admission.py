"""Filters are those of their published formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import AdmissionFilter
from raymon.data.features.growth import Comparison
from raymon.embeddings.growing.admission import admitted, mix, uniform
from raymon.embeddings.growing.id_counts import IdCounts


def counted(counts: list[int]) -> IdCounts:
    values = torch.tensor(counts, dtype=torch.int64)
    return IdCounts(torch.arange(len(counts)) * 7, values, torch.ones_like(values))


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=20),
    st.sampled_from([0.5, 1.0, 1.5, 2.0, 10.0]),
)
def test_the_dynamic_filter_takes_counts_above_a_multiple_of_the_mean(
    counts: list[int], multiple: float
) -> None:
    found = admitted(AdmissionFilter("dynamic", multiple), counted(counts), 0)
    # Multiplied out, as the quotient of two integers may round.
    assert found.tolist() == [c * len(counts) > multiple * sum(counts) for c in counts]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(">", {3}), (">=", {2, 3}), ("<", {1}), ("<=", {1, 2}), ("==", {2}), ("!=", {1, 3})],
)
def test_a_comparison_is_that_of_the_count(kind: Comparison, expected: set[int]) -> None:
    found = admitted(AdmissionFilter(kind, 2), counted([1, 2, 3]), 0)
    assert {count for count, taken in zip([1, 2, 3], found, strict=True) if taken} == expected


@pytest.mark.parametrize("count", [1, 20, 100])
def test_each_access_is_a_chance_in_the_probabilistic_filter(count: int) -> None:
    ids = 100_000
    found = admitted(AdmissionFilter("probabilistic", 0.01), counted([count] * ids), 5)
    expected = 1 - 0.99**count
    deviation = (expected * (1 - expected) / ids) ** 0.5
    assert abs(found.double().mean().item() - expected) < 5 * deviation


def test_the_chance_of_an_id_depends_on_the_id_and_the_seed_alone() -> None:
    ids = torch.arange(1000)
    assert torch.equal(uniform(ids, 3)[500:], uniform(ids[500:], 3))
    assert not torch.equal(uniform(ids, 3), uniform(ids, 4))


def test_the_mixed_words_are_those_of_splitmix64() -> None:
    # The first outputs for the seed 1234567, of the reference implementation by Vigna.
    seeds = torch.tensor([1234567, 1234567 + (0x9E3779B97F4A7C15 - 2**64)])
    assert mix(seeds).numpy().view(np.uint64).tolist() == [
        6457827717110365317,
        3203168211198807973,
    ]
