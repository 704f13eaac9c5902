"""Concordant pairs: of two rows, the one with the higher label has the higher score."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from raymon.metrics.numerics.inversions import smaller_before, starts, weight_of_smaller_before
from raymon.metrics.numerics.product_sums import limbs_to_real, product_limbs
from raymon.metrics.numerics.stable_order import sort_keys, stable_order


def concordant_share(
    preds: Tensor,
    target: Tensor,
    units: Tensor | None = None,
    group: Tensor | None = None,
    sizes: Tensor | None = None,
) -> Tensor:
    """Returns the share of concordant pairs among all pairs of rows of a group.

    A pair with equal labels or equal scores is not concordant. A pair weighs the product of the
    weights of its rows. The counts are exact, in O(n log n) (Knight 1966, by digits and not by
    merging), and no device is waited for.

    Args:
        preds: Scores, float32 or float64 `[N]`; N is below 2^28.
        target: Labels, float32 or float64 `[N]`.
        units: Weights below 2^48, less than 2^63 in all, int64 `[N]`; None if all are equal.
        group: Group of each row, from 0, int32 `[N]`; None if there is only one.
        sizes: Number of rows of each group, int64 `[G]`; None if there is only one.

    Returns:
        The shares, float64 `[G]`, `[1]` without groups; NaN where all pairs weigh nothing.
    """
    rank, by_rank = _score_ranks(sort_keys(preds), sort_keys(target), group)
    if sizes is None:
        sizes = torch.full((1,), len(preds), device=preds.device)
    edges = starts(sizes)

    def per_group(values: Tensor) -> Tensor:
        # The rows of a group have the ranks from one edge to the next.
        return starts(values)[edges].diff()

    # The rows of earlier groups, all of which are smaller and stand before, are subtracted.
    if units is None:
        concordant = per_group(smaller_before(rank)) - edges[:-1] * sizes
        return concordant.double() / (sizes * (sizes - 1) // 2)
    weight = units[by_rank]
    before = starts(weight)
    others = before[edges[:-1]].repeat_interleave(sizes, output_size=len(weight))
    concordant = _weight(weight_of_smaller_before(rank, weight) - others, weight, per_group)
    return concordant / _weight(before[:-1] - others, weight, per_group)


def _weight(smaller: Tensor, weight: Tensor, per_group: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns the weight of pairs by group, float64 `[G]`.

    Args:
        smaller: Weight of the rows that pair with each row, int64 `[N]`.
        weight: Weight of each row, int64 `[N]`.
        per_group: Function from values `[N]` to their sums by group `[G]`.
    """
    return limbs_to_real(product_limbs(smaller, weight, per_group))


def _score_ranks(score: Tensor, label: Tensor, group: Tensor | None) -> tuple[Tensor, Tensor]:
    """Returns ranks of the scores in the order of the labels, so that concordant pairs ascend.

    Args:
        score: Keys of the scores, int32 `[N]`.
        label: Keys of the labels, int32 `[N]`.
        group: Groups, int32 `[N]`, or None.

    Returns:
        A permutation, int32 `[N]`: in the order of (group, label), rows with equal labels from the
        highest score; ranked by (group, score), rows with equal scores from the highest label. So
        two rows of a group ascend if they are concordant, two of different groups always. And the
        row of each rank, int64 `[N]`.
    """
    by_rank = stable_order(~label)
    for key in (score, group):
        if key is not None:
            by_rank = by_rank[stable_order(key[by_rank])]
    # From the last rank to the first, so that rows with equal labels stay in this order.
    down = by_rank.flip(0)
    by_label = stable_order(label[down])
    if group is not None:
        by_label = by_label[stable_order(group[down][by_label])]
    return (len(label) - 1 - by_label).to(torch.int32), by_rank
