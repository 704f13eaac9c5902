from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data.reading.plan import EpochPlan
from raymon.data.reading.stream_assignment import shares

LENGTHS = st.lists(st.integers(0, 60), min_size=1, max_size=9).filter(any).map(tuple)


def order(lengths: tuple[int, ...]) -> list[int]:
    """Returns the stream of each row of an epoch, by the definition of its place."""
    rows = [
        (Fraction(2 * i + 1, 2 * length), stream)
        for stream, length in enumerate(lengths)
        for i in range(length)
    ]
    return [stream for _, stream in sorted(rows)]


@settings(deadline=None)
@given(LENGTHS, st.data())
def test_the_rows_of_an_epoch_come_by_their_places(
    lengths: tuple[int, ...], data: st.DataObject
) -> None:
    plan, streams = EpochPlan(lengths, 1), order(lengths)
    row = data.draw(st.integers(0, sum(lengths)))
    assert plan.taken(row).tolist() == [streams[:row].count(s) for s in range(len(lengths))]


def test_streams_of_any_length_end_together() -> None:
    lengths = (1_000_000, 10, 999_983)
    plan = EpochPlan(lengths, 1000)
    for row in (1, 999, 1_000_000, 1_999_000, sum(lengths) - 1, sum(lengths)):
        taken = plan.taken(row)
        assert int(taken.sum()) == row
        for rows, length in zip(taken.tolist(), lengths, strict=True):
            assert abs(rows - length * row / sum(lengths)) < 2


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 80), st.booleans(), st.data())
def test_steps_are_full_global_batches_and_the_rest(
    lengths: tuple[int, ...], size: int, drop: bool, data: st.DataObject
) -> None:
    rows = sum(lengths)
    if drop and rows < size:
        with pytest.raises(ValueError, match=f"{rows} rows fill no batch of {size}"):
            EpochPlan(lengths, size, drop)
        return
    plan = EpochPlan(lengths, size, drop)
    row = begin = data.draw(st.integers(0, rows))
    steps = []
    while plan.steps_from(row):
        steps.append(plan.rows_at(row))
        row += steps[-1]
    assert len(steps) == plan.steps_from(begin)
    assert all(step == size for step in steps[:-1])
    if drop:
        assert all(step == size for step in steps)
        assert rows - begin - sum(steps) == (rows - begin) % size
    else:
        assert sum(steps) == rows - begin
    assert plan.left_over == (rows % size if drop else 0)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 30), st.integers(0, 50), st.integers(0, 100))
def test_ranks_read_every_row_of_every_stream_once(
    streams: int, world_size: int, rows: int, begin: int
) -> None:
    read: dict[int, list[int]] = {stream: [] for stream in range(streams)}
    counts = []
    for rank in range(world_size):
        own = shares(streams, world_size, rank)
        assert own
        counts.append(len(own))
        for share in own:
            read[share.stream] += range(*share.of(begin, begin + rows))
    assert all(seen == list(range(begin, begin + rows)) for seen in read.values())
    # Evenly, as far as streams go.
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(("least", "steps"), [(0, 4), (2, 4), (3, 3), (10, 3)])
def test_a_last_batch_with_too_few_rows_is_left_out(least: int, steps: int) -> None:
    plan = EpochPlan((20, 12), 10, min_rows=least)
    assert plan.steps_from(0) == steps
    assert plan.left_over == (0 if steps == 4 else 2)
    assert plan.steps_from(30) == steps - 3
