from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from raymon.data.plan import EpochPlan


def plans(drop_remainder: bool) -> st.SearchStrategy[tuple[int, int, int]]:
    return st.tuples(st.integers(1, 400), st.integers(1, 9), st.integers(1, 50)).filter(
        lambda p: p[0] // p[1] >= (p[2] if drop_remainder else 1)
    )


@settings(deadline=None)
@given(plans(drop_remainder=False))
def test_every_row_is_in_one_batch_and_no_batch_is_empty(shape: tuple[int, int, int]) -> None:
    plan = EpochPlan(*shape)
    rows, world_size, batch_size = shape
    seen = []
    for rank in range(world_size):
        begins = [plan.begin(rank, step) for step in range(plan.steps + 1)]
        sizes = [b - a for a, b in itertools.pairwise(begins)]
        assert min(sizes) >= 1
        assert max(sizes) <= max(batch_size, 2)
        # Full ones, then the rest; a row may have moved into the last batch.
        assert all(size == batch_size for size in sizes[:-2])
        seen += [plan.first_row(rank) + i for i in range(begins[0], begins[-1])]
    assert seen == list(range(rows))


@settings(deadline=None)
@given(plans(drop_remainder=True))
def test_drop_remainder_leaves_full_batches_only(shape: tuple[int, int, int]) -> None:
    plan = EpochPlan(*shape, drop_remainder=True)
    _rows, world_size, batch_size = shape
    assert plan.steps == min(plan.rank_rows(r) for r in range(world_size)) // batch_size
    for rank in range(world_size):
        assert plan.begin(rank, plan.steps) <= plan.rank_rows(rank)
    assert plan.rows_at(plan.steps - 1) == world_size * batch_size


@settings(deadline=None)
@given(plans(drop_remainder=False))
def test_the_rows_of_a_step_are_those_of_all_ranks(shape: tuple[int, int, int]) -> None:
    plan = EpochPlan(*shape)
    for step in range(plan.steps):
        ranks = (plan.begin(r, step + 1) - plan.begin(r, step) for r in range(shape[1]))
        assert plan.rows_at(step) == sum(ranks)


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(1, 50))
def test_fewer_rows_than_ranks_are_an_error(rows: int, world_size: int) -> None:
    assume(rows < world_size)
    with pytest.raises(ValueError, match=f"{rows} rows are fewer than {world_size} workers"):
        EpochPlan(rows, world_size, 4)


def test_an_epoch_without_a_full_batch_is_an_error() -> None:
    with pytest.raises(ValueError, match="fill no batch of 8"):
        EpochPlan(15, 2, 8, drop_remainder=True)


def test_a_step_past_the_epoch_is_an_error() -> None:
    with pytest.raises(IndexError, match="not in"):
        EpochPlan(10, 1, 5).rows_at(2)
