"""Concordant pairs are counted exactly, whatever the rows and their order."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau
from torch import Tensor

from raymon.metrics.numerics.concordant_pairs import concordant_share
from raymon.metrics.numerics.inversions import smaller_before, weight_of_smaller_before
from raymon.metrics.numerics.product_sums import limbs_to_real, product_limbs
from raymon.metrics.numerics.stable_order import sort_keys, stable_order
from raymon.metrics.xauc import XAUC

Row = tuple[float, float, int, int]

REAL = st.sampled_from([float("-inf"), -1.5, -0.0, 0.0, 1e-45, 0.5, 0.50000006, 3.0])
ROW = st.tuples(REAL, REAL, st.sampled_from([0, 1, 65536, 2**47]), st.integers(0, 3))


def _share(rows: list[Row], weighted: bool) -> float:
    """Returns the share by its definition, pair by pair, in whole numbers; NaN without a pair."""
    concordant = pairs = 0
    for (score, label, weight, _), (score_2, label_2, weight_2, _) in combinations(rows, 2):
        both = weight * weight_2 if weighted else 1
        pairs += both
        low, high = sorted([(label, score), (label_2, score_2)])
        if low[0] < high[0] and low[1] < high[1]:
            concordant += both
    return float(Fraction(concordant, pairs)) if pairs else float("nan")


def _columns(rows: list[Row], dtype: torch.dtype) -> list[Tensor]:
    columns = [torch.tensor([row[i] for row in rows]) for i in range(4)]
    types = (dtype, dtype, torch.int64, torch.int32)
    return [column.to(kind) for column, kind in zip(columns, types, strict=True)]


@settings(deadline=None, max_examples=200)
@given(st.lists(ROW, max_size=40), st.booleans(), st.sampled_from([torch.float32, torch.float64]))
def test_the_share_is_that_of_all_pairs(
    rows: list[Row], weighted: bool, dtype: torch.dtype
) -> None:
    score, label, units, _ = _columns(rows, dtype)
    share = concordant_share(score, label, units if weighted else None)
    expected = _share(rows, weighted)
    if weighted:
        assert share.item() == pytest.approx(expected, rel=1e-15, nan_ok=True)
    else:
        assert share.item() == expected or np.isnan([share.item(), expected]).all()
    assert share.dtype == torch.float64
    assert share.shape == (1,)


@settings(deadline=None, max_examples=200)
@given(st.lists(ROW, max_size=40), st.booleans())
def test_the_shares_of_groups_are_those_of_each_alone(rows: list[Row], weighted: bool) -> None:
    score, label, units, group = _columns(rows, torch.float32)
    sizes = torch.bincount(group, minlength=4)
    shares = concordant_share(score, label, units if weighted else None, group, sizes)
    expected = [_share([row for row in rows if row[3] == i], weighted) for i in range(4)]
    assert shares.tolist() == pytest.approx(expected, rel=1e-15, nan_ok=True)


@settings(deadline=None, max_examples=100)
@given(st.lists(ROW, max_size=40), st.randoms(use_true_random=False))
def test_no_order_of_the_rows_changes_a_bit(rows: list[Row], random) -> None:
    score, label, units, _ = _columns(rows, torch.float32)
    share = concordant_share(score, label, units)
    random.shuffle(rows)
    score, label, units, _ = _columns(rows, torch.float32)
    assert torch.equal(concordant_share(score, label, units).nan_to_num(), share.nan_to_num())


@pytest.mark.parametrize("rows", [2, 63, 64, 65, 8_192, 65_536, 65_537, 200_000])
def test_without_ties_it_is_kendalls_tau(rows: int) -> None:
    rng = np.random.default_rng(rows)
    label = rng.permutation(rows).astype(np.float32)
    score = label + rng.random(rows) * rows
    share = concordant_share(torch.tensor(score), torch.tensor(label)).item()
    assert share == pytest.approx((kendalltau(score, label).statistic + 1) / 2, abs=1e-12)


@pytest.mark.parametrize("skewed", [False, True])
def test_many_rows_with_ties_are_those_of_each_label_above_the_lower_ones(skewed: bool) -> None:
    rng = np.random.default_rng(1)
    label = rng.geometric(0.4, 100_000) if skewed else rng.integers(0, 50, 100_000)
    score = np.round(label + rng.normal(0, 20, 100_000)).astype(np.float32)
    concordant = 0
    for value in np.unique(label):
        lower = np.sort(score[label < value])
        concordant += int(np.searchsorted(lower, score[label == value]).sum())
    share = concordant_share(torch.tensor(score), torch.tensor(label, dtype=torch.float32))
    assert share.item() == concordant / (100_000 * 99_999 // 2)


def test_weights_of_more_than_64_bits_in_all_lose_nothing() -> None:
    rng = np.random.default_rng(2)
    rows = [
        (*pair, int(w), 0)
        for pair, w in zip(rng.random((300, 2)), rng.integers(0, 2**48, 300), strict=True)
    ]
    score, label, units, _ = _columns(rows, torch.float64)
    assert concordant_share(score, label, units).item() == pytest.approx(
        _share(rows, True), rel=1e-15
    )


@pytest.mark.parametrize("rows", [0, 1, 2, 64, 100, 5_000])
def test_counts_are_those_of_smaller_elements_before_each(rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    rank = torch.randperm(rows, generator=generator, dtype=torch.int32)
    weight = torch.randint(0, 1 << 40, (rows,), generator=generator)
    smaller = (rank.unsqueeze(1) < rank).triu(1)
    counts, weights = smaller.sum(0), (smaller * weight[rank.long()].unsqueeze(1)).sum(0)
    by_rank = rank.argsort()
    given = rank.clone()
    assert smaller_before(rank).tolist() == counts[by_rank].tolist()
    assert weight_of_smaller_before(rank, weight).tolist() == weights[by_rank].tolist()
    assert torch.equal(rank, given)


def test_smaller_elements_of_several_pieces_weigh_what_they_count() -> None:
    rank = torch.randperm(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.int32)
    assert torch.equal(
        weight_of_smaller_before(rank, torch.full((200_000,), 3)), 3 * smaller_before(rank).long()
    )
    upwards = torch.arange(200_000, dtype=torch.int32)
    assert torch.equal(smaller_before(upwards), upwards)
    assert not smaller_before(upwards.flip(0)).any()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**48 - 1)), min_size=1),
    st.integers(0, 100),
)
def test_sums_of_products_are_those_of_python(pairs: list[tuple[int, int]], cut: int) -> None:
    left, right = (torch.tensor([pair[i] for pair in pairs]) for i in range(2))
    expected = sum(a * b for a, b in pairs)

    def total(values: Tensor) -> Tensor:
        return values.sum().unsqueeze(0)

    whole = product_limbs(left, right, total)
    parts = product_limbs(left[:cut], right[:cut], total) + product_limbs(
        left[cut:], right[cut:], total
    )
    assert sum(limb << (16 * i) for i, (limb,) in enumerate(whole.tolist())) == expected
    assert limbs_to_real(whole).item() == pytest.approx(expected, rel=2**-52)
    # However it was added up, it is one number.
    assert torch.equal(limbs_to_real(parts), limbs_to_real(whole))


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_sort_keys_are_in_the_order_of_the_values(values: list[float]) -> None:
    for kind in (torch.float32, torch.float64):
        column = torch.tensor(values, dtype=kind)
        key = sort_keys(column)
        assert key.dtype == torch.int32
        assert torch.equal(key.unsqueeze(1) < key, column.unsqueeze(1) < column)
        assert torch.equal(key.unsqueeze(1) == key, column.unsqueeze(1) == column)


@given(st.lists(st.integers(-3, 3) | st.integers(-(2**31), 2**31 - 1)))
def test_the_order_of_equal_keys_stays(keys: list[int]) -> None:
    expected = np.argsort(np.array(keys, dtype=np.int32), kind="stable")
    assert stable_order(torch.tensor(keys, dtype=torch.int32)).tolist() == expected.tolist()


@pytest.mark.parametrize("rows", [0, 1, 100, 70_000])
@pytest.mark.parametrize("weighted", [False, True])
def test_nothing_depends_on_data(rows: int, weighted: bool) -> None:
    with torch.device("meta"):
        units = torch.ones(rows, dtype=torch.int64) if weighted else None
        share = concordant_share(torch.rand(rows), torch.rand(rows), units)
    assert share.device.type == "meta"


@pytest.mark.parametrize("weight", [1.0, 1e5, 2.0**20])
def test_equal_weights_of_any_size_leave_the_share(weight: float) -> None:
    generator = torch.Generator().manual_seed(0)
    scores, labels = torch.rand(2, 20_000, generator=generator)
    plain, weighted = XAUC(), XAUC()
    plain.update(scores, labels)
    weighted.update(scores, labels, torch.full((20_000,), weight))
    assert weighted.compute().item() == pytest.approx(plain.compute().item(), rel=1e-12)
