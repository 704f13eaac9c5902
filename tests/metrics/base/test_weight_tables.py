"""Tables of weights: the sums of fractions, in any order, and no memory without weights."""

from __future__ import annotations

from fractions import Fraction

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.metrics import DecayAUC
from raymon.metrics.base.weight_tables import LARGEST, is_zero_placeholder, table_of
from raymon.metrics.decay.states import merge_states, take_window_states
from raymon.metrics.numerics.fixed_point import WEIGHT_BITS

WEIGHTS = st.lists(st.floats(1e-18, 1e13) | st.sampled_from([0.0, 1e-9, 1.0]), max_size=30)


def _states(weights: list[float]) -> dict[str, torch.Tensor]:
    metric = DecayAUC(2)
    rows = len(weights)
    metric.update(torch.ones(rows), torch.ones(rows), torch.tensor(weights, dtype=torch.float64))
    return take_window_states(metric)


@settings(deadline=None, max_examples=200)
@given(weights=WEIGHTS, cut=st.integers(0, 30), random=st.randoms(use_true_random=False))
def test_a_sum_is_exact_in_any_order_and_parts(weights, cut, random) -> None:
    whole = _states(weights)
    random.shuffle(weights)
    parts = merge_states(DecayAUC(2), [_states(weights[:cut]), _states(weights[cut:])])
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    metric = DecayAUC(2)
    metric.histogram, metric.histogram_slices = whole["histogram"], whole["histogram_slices"]
    total = Fraction(table_of(metric, "histogram")[1, 1].item()) / (1 << WEIGHT_BITS)
    exact = sum(map(Fraction, weights), Fraction(0))
    # Each is rounded to 2^-84, and the sum to a float64.
    assert abs(total - exact) <= Fraction(2) ** -85 * len(weights) + exact * Fraction(2) ** -51


def test_there_is_space_for_billions_of_the_largest() -> None:
    states = _states([LARGEST, 2.0**44 - 2.0**-8])
    assert max(state.abs().max().item() for state in states.values()) <= 2 << 32


def test_without_weights_other_slices_take_no_memory() -> None:
    metric = DecayAUC()
    for _ in range(2):
        metric.update(torch.rand(8), torch.ones(8))
        assert is_zero_placeholder(metric.histogram_slices)
        assert is_zero_placeholder(take_window_states(metric)["histogram_slices"])
        metric.update(torch.rand(8), torch.ones(8))
        metric.decay(0.9)
        assert is_zero_placeholder(metric.histogram_slices)
        metric.reset()
        assert is_zero_placeholder(metric.to("cpu").histogram_slices)
    metric.update(torch.rand(8), torch.ones(8), torch.ones(8))
    assert not is_zero_placeholder(take_window_states(metric)["histogram_slices"])
    assert is_zero_placeholder(metric.histogram_slices)
