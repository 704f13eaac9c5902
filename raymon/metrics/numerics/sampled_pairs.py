"""The share of concordant pairs, estimated from random pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.metrics.numerics.inversions import starts
from raymon.metrics.numerics.product_sums import LIMBS, limbs_to_real, product_limbs
from raymon.metrics.numerics.stable_order import sort_keys, stable_order

_CHUNK = 1 << 18
"""Pairs that are drawn at a time."""

_STEP = -0x61C8864680B583EB
_MULTIPLIERS = (-0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)


def sampled_share(
    preds: Tensor,
    target: Tensor,
    units: Tensor | None,
    group: Tensor,
    sizes: Tensor,
    draws: Tensor,
    seeds: Tensor,
) -> Tensor:
    """Returns the share of concordant pairs among pairs drawn from each group.

    At every draw all pairs of two rows of the group are equally likely; one that is drawn weighs
    the product of the weights of its rows. Which are drawn is a function of the seed and the rows
    of the group, not of their order, nor of the device. Waits for the device.

    Args:
        preds: Scores, float32 or float64 `[N]`.
        target: Labels, float32 or float64 `[N]`.
        units: Weights below 2^48, int64 `[N]`; None if all are equal.
        group: Group of each row, which gives the order of the groups below, int32 `[N]`.
        sizes: Number of rows of each group, int64 `[G]`.
        draws: Number of pairs that are drawn, int64 `[G]`; 0 for fewer than two rows.
        seeds: Seeds, far apart, as `mixed` makes them, int64 `[G]`.

    Returns:
        The shares, float64 `[G]`; NaN where no pair is drawn, or the drawn pairs weigh nothing.
    """
    score, label = sort_keys(preds), sort_keys(target)
    order = stable_order(score if units is None else sort_keys(units))
    for key in (score, label, group):
        order = order[stable_order(key[order])]
    score, label = score[order], label[order]
    weight = None if units is None else units[order]
    first_row, first_draw = starts(sizes), starts(draws)
    total = int(first_draw[-1])

    concordant = sizes.new_zeros(len(sizes) if weight is None else (LIMBS, len(sizes)))
    drawn = torch.zeros_like(concordant)
    for start in range(0, total, _CHUNK):
        draw = torch.arange(start, min(start + _CHUNK, total), device=preds.device)
        at = torch.searchsorted(first_draw[1:], draw, right=True)
        low, high = drawn_pairs(seeds[at], draw - first_draw[at], sizes[at])
        low, high = low + first_row[at], high + first_row[at]
        # Sorted by label, the lower row has no higher one.
        ascends = (label[low] < label[high]) & (score[low] < score[high])

        def per_group(values: Tensor, at: Tensor = at) -> Tensor:
            return torch.zeros_like(sizes).index_add_(0, at, values)

        if weight is None:
            concordant += per_group(ascends.long())
        else:
            concordant += product_limbs(weight[low] * ascends, weight[high], per_group)
            drawn += product_limbs(weight[low], weight[high], per_group)
    if weight is None:
        return concordant.double() / draws
    return limbs_to_real(concordant) / limbs_to_real(drawn)


def drawn_pairs(seed: Tensor, number: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Returns pairs of different rows, all equally likely to within 2^-63 times the number of rows.

    Args:
        seed: Seeds of the sequences, int64 `[D]`.
        number: Indices in the sequences, int64 `[D]`.
        size: Numbers of rows, 2 or more, int64 `[D]`.

    Returns:
        The lower row and the higher one, in [0, size), int64 `[D]` each.
    """
    one = _random(seed, 2 * number) % size
    other = _random(seed, 2 * number + 1) % (size - 1)
    other += other >= one
    return torch.minimum(one, other), torch.maximum(one, other)


def _random(seed: Tensor, number: Tensor) -> Tensor:
    """Returns elements of random sequences, by seed and index: int64 `[D]` in [0, 2^63).

    SplitMix64 (Steele, Lea & Flood 2014), which computes any element without those before.
    """
    return mixed(seed + (number + 1) * _STEP) & 0x7FFFFFFFFFFFFFFF


def mixed(bits: Tensor) -> Tensor:
    """Returns a permutation of int64 `[D]` in which every bit depends on all."""
    for shift, multiplier in zip((30, 27), _MULTIPLIERS, strict=True):
        bits = (bits ^ _shifted(bits, shift)) * multiplier
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Tensor, by: int) -> Tensor:
    # Zeros come in from the left, where int64 has its sign.
    return (bits >> by) & ((1 << (64 - by)) - 1)
