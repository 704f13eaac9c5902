"""The share of concordant pairs of a two-dimensional histogram, and how wrong it can be."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.metrics.numerics.ordered_sum import ordered_sum

_NOTHING = 1e-300
"""Divisor in place of a weight of 0."""


def binned_share(
    cells: Tensor, score_slots: Tensor, label_slots: Tensor, rows: Tensor, weighted: Tensor
) -> tuple[Tensor, Tensor]:
    """Returns the share of concordant pairs among all, from the bins of their rows.

    For two rows in different bins of scores and of labels it is known whether they are concordant.
    Of two that share a bin of one of these, none is if the bin holds one value; else the expected
    number is taken: the pairs with equal values are estimated and left out, and of the rest a half
    is concordant, and more if the pairs of the neighbouring bins are more often so than not.

    Args:
        cells: Weight by bin of scores and of labels, in the order of the values, `[S, L]`.
        score_slots: Weight by bin of scores and slot of the score, `[S, SLOTS]`.
        label_slots: Weight by bin of labels and slot of the label, `[L, SLOTS]`.
        rows: Number of rows that weigh anything, int64 scalar.
        weighted: Number of them that do not weigh 1, int64 scalar.

    Returns:
        The share and how far it can be from the exact one, float64 scalars; NaN without any pair.
    """
    weight = cells.double()
    mean = cells.sum().double() / rows
    score_ties, one_score = _ties(score_slots, mean)
    label_ties, one_label = _ties(label_slots, mean)

    lower = _below(_below(cells, 0), 1).double()
    known = ordered_sum((weight * lower).flatten())
    same_score, of_score = _sharing(cells, score_ties)
    same_label, of_label = _sharing(cells.T, label_ties)
    # A row makes no pair with itself.
    same_both = (weight * (weight - mean)).clamp(min=0) / 2
    of_both = same_both * ((1 - score_ties).unsqueeze(1) * (1 - label_ties)) / 2

    share = known + of_score.sum() + of_label.sum() + ordered_sum(of_both.flatten())
    doubt = _doubt(same_score, of_score, one_score) + _doubt(same_label, of_label, one_label)
    doubt += _doubt(same_both, of_both, one_score.unsqueeze(1) | one_label)
    squares = ordered_sum(weight.square().flatten())
    pairs = (cells.sum().double().square() - squares) / 2 + ordered_sum(same_both.flatten())
    # With unequal weights, the pairs of rows with themselves weigh at most what those of their
    # cells with themselves do.
    itself = torch.where(weighted > 0, squares / 2, 0.0)
    least = pairs.minimum(cells.sum().double().square() / 2 - itself).clamp(min=0)
    bound = (doubt + 2 * itself) / torch.where(weighted > 0, least, pairs)
    return share / pairs, bound.clamp(max=1)


def _below(cells: Tensor, dim: int) -> Tensor:
    """Returns the weight in the bins below each one, along a dimension."""
    return cells.cumsum(dim) - cells


def _sharing(cells: Tensor, ties: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the weight of the pairs that share a row of the histogram and no column, by row.

    Args:
        cells: Weight by row and column, int64 `[R, C]`.
        ties: Share of the pairs within a row that have equal values, float64 `[R]`.

    Returns:
        The weight of all these pairs, and the expected weight of the concordant ones, float64 `[R]`
        each.
    """
    weight = cells.double()
    pairs = (weight.sum(1).square() - weight.square().sum(1)) / 2
    before = _below(cells, 1).double()
    concordant = (weight[1:] * before[:-1]).sum(1)
    discordant = (weight[:-1] * before[1:]).sum(1)
    # Values of the next row are, on average, three times as far away as those of the same row;
    # over distances as small as these the excess of concordant pairs grows with the distance.
    excess = _of_both_sides(concordant - discordant) / _of_both_sides(
        concordant + discordant
    ).clamp(min=_NOTHING)
    return pairs, pairs * (1 - ties) * (1 + excess / 3) / 2


def _of_both_sides(between: Tensor) -> Tensor:
    """Returns the sum of the figures `[R - 1]` between each row and its neighbours: `[R]`."""
    pad = torch.nn.functional.pad
    return pad(between, (1, 0)) + pad(between, (0, 1))


def _ties(slots: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the share of the pairs within a bin that have equal values.

    Equal values share a slot; different ones do by chance, once in SLOTS on average.

    Args:
        slots: Weight by bin and slot, int64 `[N, SLOTS]`.
        mean: Mean weight of a row, float64 scalar.

    Returns:
        The shares, float64 `[N]`, and whether each bin has one value (or several in one slot), bool
        `[N]`.
    """
    weight = slots.double()
    total = weight.sum(1)
    together = (weight / total.unsqueeze(1)).square().sum(1)
    equal = (together * slots.shape[1] - 1) / (slots.shape[1] - 1)
    # A row has the same value as itself.
    itself = (mean / total).clamp(max=0.99)
    one = torch.count_nonzero(slots, 1) <= 1
    share = (equal - itself) / (1 - itself)
    return share.clamp(min=0).masked_fill(one, 1.0), one


def _doubt(pairs: Tensor, concordant: Tensor, known: Tensor) -> Tensor:
    """Returns how far `concordant` of `pairs` can be off in all; known bins add nothing."""
    doubt = torch.maximum(concordant, pairs - concordant).masked_fill(known, 0.0)
    return ordered_sum(doubt.flatten())
