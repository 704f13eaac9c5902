"""The figures of tables, against numpy's counts of the same lookups."""

import math
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.embeddings import LookupCounter, table_health
from raymon.embeddings.health.distinct_rows import STANDARD_ERROR
from raymon.embeddings.health.row_hash import row_hashes
from raymon.protos.report_pb2 import TableSketches as Message
from raymon.wire import TableLayout, TableSketches, TableSpec

Rows = np.ndarray


def counted(table: TableSpec, *parts: Rows, dim: int | None = None) -> TableSketches:
    """The sketches of lookups; with a dim also the norms of the rows of `rows_of`."""
    counter = LookupCounter(TableLayout([table]))
    counter.add(0, [torch.from_numpy(rows) for rows in parts])
    if dim is not None:
        rows = np.concatenate(parts)
        chosen = rows[counter.sample(0, rows)]
        counter.add_norms(0, chosen, rows_of(chosen, dim))
    return counter.take()


def rows_of(rows: Rows, dim: int) -> np.ndarray:
    """An embedding for each row, float32 `[N, dim]`."""
    return np.sin(np.outer(rows + 1, np.arange(1, dim + 1))).astype(np.float32)


def health(sketches: TableSketches):
    (figures,) = table_health(sketches, sketches.touched).values()
    return figures


def merged(parts: list[TableSketches]) -> TableSketches:
    messages = [Message.FromString(part.to_message().SerializeToString()) for part in parts]
    total = TableSketches.from_message(messages[0])
    for message in messages[1:]:
        total.add(message)
    return total


def top10(rows: Rows) -> float:
    return float(np.sort(np.unique(rows, return_counts=True)[1])[-10:].sum() / len(rows))


lookups = st.builds(
    lambda seed, size, rows, power: (
        np.floor(np.random.default_rng(seed).random(size) ** power * rows).astype(np.int64),
        rows,
    ),
    st.integers(0, 10**6),
    st.integers(1, 3000),
    st.sampled_from([1, 7, 200, 2048, 5000, 32_768, 32_769, 10**6, 2 * 10**8]),
    st.sampled_from([1, 3, 9]),
)


@given(lookups)
def test_small_tables_are_counted_exactly(given_: tuple[Rows, int]) -> None:
    rows, size = given_
    found = health(counted(TableSpec("t", size), rows))
    assert found.lookups == len(rows)
    if size <= 32_768:
        assert found.distinct_rows == len(np.unique(rows))
        assert found.touched_share == len(np.unique(rows)) / size
    if size <= 2_048:
        assert found.top10_share == top10(rows)


@given(lookups, st.integers(1, 8), st.randoms())
@settings(max_examples=60)
def test_figures_are_the_same_bits_for_any_split_over_ranks_in_any_order(
    given_: tuple[Rows, int], ranks: int, shuffle: random.Random
) -> None:
    rows, size = given_
    table = TableSpec("t", size, is_hashed=True)
    alone = counted(table, rows, dim=4)
    seed = shuffle.randint(0, 10**6)
    rank_of = np.random.default_rng(seed).integers(0, ranks, len(rows))
    parts = [counted(table, rows[rank_of == rank], dim=4) for rank in range(ranks)]
    shuffle.shuffle(parts)
    together = merged(parts)
    for array in ("lookups", "touched", "bucket_lookups", "row_norms"):
        assert np.array_equal(getattr(alone, array), getattr(together, array)), array
    assert str(health(alone)) == str(health(together))


@pytest.mark.parametrize("size", [40_000, 10**6, 2 * 10**8])
def test_distinct_rows_of_large_tables_have_the_standard_error_that_is_said(size: int) -> None:
    rng = np.random.default_rng(0)
    for distinct in (1, 30, 1_000, 20_000, 100_000):
        if distinct > size / 2:
            continue
        errors = []
        for _ in range(20):
            rows = np.unique(rng.integers(0, size, distinct))
            found = health(counted(TableSpec("t", size), rows)).distinct_rows
            errors.append(found / len(rows) - 1)
        assert math.sqrt(np.mean(np.square(errors))) < 1.35 * STANDARD_ERROR, distinct
        assert abs(np.mean(errors)) < STANDARD_ERROR * 3 / math.sqrt(20), distinct


def test_rows_that_follow_each_other_are_counted_as_well_as_any() -> None:
    # Ids of a vocabulary are given in order, so that the rows of a window often are neighbours.
    for begin in range(0, 10**6, 10**5):
        rows = np.arange(begin, begin + 50_000)
        found = health(counted(TableSpec("t", 10**6), rows)).distinct_rows
        assert found == pytest.approx(50_000, rel=4 * STANDARD_ERROR)


def test_a_table_that_is_touched_everywhere_is_never_touched_more_than_that() -> None:
    for size in (33_000, 40_000, 100_000):
        found = health(counted(TableSpec("t", size), np.arange(size)))
        assert 1 - 4 * STANDARD_ERROR < found.touched_share <= 1
        assert found.distinct_rows <= size


@pytest.mark.parametrize("size", [10_000, 10**6])
@pytest.mark.parametrize("power", [0.8, 1.05, 1.2])
def test_the_share_of_frequent_rows_is_within_half_a_point_of_a_zipf_law(
    size: int, power: float
) -> None:
    rng = np.random.default_rng(1)
    weights = np.cumsum(1 / np.arange(1, size + 1) ** power)
    ranks = np.searchsorted(weights, rng.random(300_000) * weights[-1])
    rows = rng.permutation(size)[ranks]
    found = health(counted(TableSpec("t", size), rows)).top10_share
    assert found == pytest.approx(top10(rows), abs=0.005)


def test_the_share_of_frequent_rows_is_within_two_points_where_hundreds_are_as_frequent() -> None:
    rng = np.random.default_rng(2)
    for frequent in (1, 10, 100, 500, 10**6):
        rare = rng.random(300_000) < 0.5
        rows = np.where(rare, rng.integers(0, 10**6, 300_000), rng.integers(0, frequent, 300_000))
        found = health(counted(TableSpec("t", 10**6), rows)).top10_share
        assert found == pytest.approx(top10(rows), abs=0.02), frequent


@pytest.mark.parametrize("size", [1, 90, 128])
def test_the_mean_norm_of_a_small_table_is_that_of_its_distinct_rows(size: int) -> None:
    rows = np.random.default_rng(3).integers(0, size, 300)
    found = health(counted(TableSpec("t", size), rows, dim=6)).mean_row_norm
    norms = np.linalg.norm(rows_of(np.unique(rows), 6).astype(np.float64), axis=1)
    assert found == pytest.approx(norms.mean(), rel=1e-6)


@pytest.mark.parametrize("size", [10_000, 10**7])
def test_the_mean_norm_of_a_large_table_is_that_of_a_random_sample(size: int) -> None:
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(30):
        # Frequent rows, whose norms could differ, count as much as rare ones.
        rows = np.concatenate([rng.integers(0, size, 3000), np.repeat(rng.integers(0, size), 5000)])
        found = health(counted(TableSpec("t", size), rows, dim=3)).mean_row_norm
        norms = np.linalg.norm(rows_of(np.unique(rows), 3).astype(np.float64), axis=1)
        errors.append((found - norms.mean()) / (norms.std() / math.sqrt(128)))
    assert 0.6 < math.sqrt(np.mean(np.square(errors))) < 1.4


def test_the_expected_share_of_collisions_is_that_of_ids_that_are_hashed() -> None:
    rng = np.random.default_rng(5)
    for size, ids in ((1000, 200), (1000, 3000), (30_000, 20_000)):
        table = TableSpec("t", size, is_hashed=True)
        shares, found = [], []
        for _ in range(20):
            rows = rng.integers(0, size, ids)
            beside = np.bincount(rows, minlength=size)[rows] > 1
            shares.append(beside.mean())
            found.append(health(counted(table, rows)).collision_share)
        assert np.mean(found) == pytest.approx(np.mean(shares), abs=0.01)


def test_only_hashed_ids_can_collide() -> None:
    assert math.isnan(health(counted(TableSpec("t", 10), np.arange(3))).collision_share)
    alone = counted(TableSpec("t", 10, is_hashed=True), np.zeros(4, np.int64))
    assert health(alone).collision_share == 0


def test_a_table_without_lookups_has_no_share_and_no_norm() -> None:
    for size in (10, 10**6):
        found = health(counted(TableSpec("t", size)))
        assert (found.lookups, found.distinct_rows, found.touched_share) == (0, 0, 0)
        assert math.isnan(found.top10_share)
        assert math.isnan(found.mean_row_norm)


def test_rows_that_are_not_finite_leave_the_norm_without_a_value() -> None:
    table = TableSpec("t", 10)
    for wrong in (math.nan, math.inf):
        counter = LookupCounter(TableLayout([table]))
        embeddings = np.array([[1.0, 2.0], [wrong, 0.0]], np.float32)
        counter.add_norms(0, np.array([3, 4]), embeddings)
        assert math.isnan(health(counter.take()).mean_row_norm)


def test_missing_lookups_leave_no_figure() -> None:
    counter = LookupCounter(TableLayout([TableSpec("t", 10, is_hashed=True)]))
    counter.add(0, [torch.arange(5)])
    counter.lose()
    incomplete = counter.take()
    (found,) = table_health(incomplete, None).values()
    assert all(math.isnan(value) for value in found.figures().values())
    # What is counted next is complete again.
    counter.add(0, [torch.arange(3)])
    assert health(counter.take()).distinct_rows == 3


def test_a_window_begins_without_the_lookups_of_the_one_before() -> None:
    for size in (100, 10_000, 10**6):
        counter = LookupCounter(TableLayout([TableSpec("t", size)]))
        counter.add(0, [torch.arange(50)])
        counter.take()
        counter.add(0, [torch.tensor([7, 7])])
        again = counted(TableSpec("t", size), np.array([7, 7]))
        taken = counter.take()
        assert np.array_equal(taken.touched, again.touched)
        assert np.array_equal(taken.bucket_lookups, again.bucket_lookups)


def test_the_hash_is_the_same_in_every_version() -> None:
    # Computed from the definition, with Python's integers.
    def defined(row: int) -> int:
        x = (row + 0x9E3779B9) & 0xFFFFFFFF
        x ^= x >> 16
        x = x * 0x7FEB352D & 0xFFFFFFFF
        x ^= x >> 15
        x = x * 0x846CA68B & 0xFFFFFFFF
        return x ^ x >> 16

    rows = [0, 1, 2, 1000, 10**6, 2 * 10**8, 2**32 - 1]
    assert row_hashes(np.array(rows)).tolist() == [defined(row) for row in rows]
    assert len(set(row_hashes(np.arange(10**6)).tolist())) == 10**6
