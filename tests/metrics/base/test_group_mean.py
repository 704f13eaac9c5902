"""The mean over groups is exact, and the same however the groups are shared out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.metrics.base.checked_metric import LABELS
from raymon.metrics.base.group_mean import GROUPS, INVALID, SKIPPED, group_sums, mean_over_groups

FIGURES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 5e-324, 1 / 3, 1 - 2**-53, 1.0]))


@given(FIGURES, st.integers(0, 100), st.randoms(use_true_random=False))
def test_sums_of_parts_add_up_to_the_bit(figures, cut, random) -> None:
    whole = group_sums(np.array(figures), 5, bad_labels=7)
    random.shuffle(figures)
    parts = [figures[:cut], figures[cut:]]
    first, second = (group_sums(np.array(part), 0, bad_labels=0) for part in parts)
    assert torch.equal(whole[:GROUPS], (first + second)[:GROUPS])
    assert whole[GROUPS] == len(figures)
    assert whole[SKIPPED] == 5
    assert whole[INVALID][LABELS] == whole[INVALID].sum() == 7


@given(FIGURES)
def test_is_the_exact_mean_rounded_once_but_for_the_last_bits_of_each(figures) -> None:
    mean = mean_over_groups(group_sums(np.array(figures), 0, bad_labels=0))
    if figures:
        exact = sum(map(Fraction, figures)) / len(figures)
        assert abs(Fraction(mean) - exact) <= Fraction(1, 2**52)
    else:
        assert mean != mean


def test_has_space_for_a_hundred_thousand_million_rows() -> None:
    figures, weights = np.array([1.0, 1 - 2**-52]), np.array([2**36, 2**36])
    mean = mean_over_groups(group_sums(figures, 0, weights, bad_labels=0))
    assert mean == 1 - 2**-53


def test_groups_count_by_their_weights() -> None:
    figures, weights = np.array([0.25, 1.0]), np.array([3, 1])
    assert mean_over_groups(group_sums(figures, 0, weights, bad_labels=0)) == (0.75 + 1) / 4
