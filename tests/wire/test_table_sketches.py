import random

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.report_pb2 import TableSketches as Message
from raymon.wire import TableLayout, TableSketches, TableSpec, check_tables

LAYOUT = TableLayout([TableSpec("small", 5), TableSpec("large", 10**6, True), TableSpec("u", 300)])


def sketches_of(seed: int) -> TableSketches:
    """Any sketches, with buckets of up to 2^40 lookups."""
    rng = np.random.default_rng(seed)
    sketches = TableSketches.empty(LAYOUT)
    for array, most in (
        (sketches.lookups, 2**40),
        (sketches.touched, 2**8),
        (sketches.bucket_lookups, 2 ** int(rng.integers(1, 41))),
        (sketches.row_norms, 2**64),
    ):
        filled = rng.random(len(array)) < rng.random()
        array[filled] = rng.integers(0, most, filled.sum(), dtype=array.dtype)
    sketches.incomplete = bool(rng.random() < 0.3)
    sketches.counts.update({("large", "admitted"): int(rng.integers(1, 100))})
    sketches.levels.update({("large", "occupied_rows"): int(rng.integers(1, 100))})
    return sketches


def sent(sketches: TableSketches) -> Message:
    message = Message.FromString(sketches.to_message().SerializeToString())
    check_tables(message)
    return message


def same(one: TableSketches, other: TableSketches) -> bool:
    return one.to_message().SerializeToString(deterministic=True) == (
        other.to_message().SerializeToString(deterministic=True)
    )


def merged(parts: list[TableSketches]) -> TableSketches:
    total = TableSketches.from_message(sent(parts[0]))
    for part in parts[1:]:
        total.add(sent(part))
    return total


@given(st.integers(0, 10**6))
def test_sketches_arrive_as_they_were_sent(seed: int) -> None:
    sketches = sketches_of(seed)
    arrived = TableSketches.from_message(sent(sketches))
    assert same(sketches, arrived)
    assert np.array_equal(arrived.bucket_lookups, sketches.bucket_lookups)
    assert arrived.layout.tables == LAYOUT.tables


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=7), st.randoms())
def test_ranks_merge_to_the_same_bits_in_any_order_and_grouping(
    seeds: list[int], shuffle: random.Random
) -> None:
    parts = [sketches_of(seed) for seed in seeds]
    flat = merged(parts)
    shuffle.shuffle(parts)
    cut = shuffle.randint(1, len(parts) - 1)
    assert same(flat, merged([merged(parts[:cut]), merged(parts[cut:])]))


@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4))
def test_steps_after_ranks_are_ranks_after_steps(seeds: list[int]) -> None:
    (a, b), (c, d) = (map(sketches_of, seeds[:2]), map(sketches_of, seeds[2:]))
    # Norms and levels are those of the last step, which both orders know only of both ranks.
    for sketches in (c, d):
        sketches.row_norms |= np.uint64(1)
    first, second = merged([a, b]), merged([c, d])
    first.add_steps(second)
    of_one, of_other = a.copy(), b.copy()
    of_one.add_steps(c)
    of_other.add_steps(d)
    assert same(first, merged([of_one, of_other]))


def test_a_copy_is_left_alone_by_what_is_added_to_the_original() -> None:
    sketches, other = sketches_of(1), sketches_of(2)
    copy = sketches.copy()
    sketches.add(sent(other))
    assert same(copy, sketches_of(1))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("touched", b"\0"),
        ("bucket_lookups", b"\0\0"),
        ("row_norms", b"\0" * 8),
        ("large_positions", b"\0" * 4),
        ("large_lookups", b"\0" * 8),
        ("layout", b"\xff\xff"),
    ],
)
def test_what_cannot_be_the_sketches_of_a_layout_is_refused(field: str, value: bytes) -> None:
    message = TableSketches.empty(LAYOUT).to_message()
    setattr(message, field, value)
    with pytest.raises(Exception, match=r"."):
        check_tables(message)


def test_a_bucket_that_is_not_there_or_overflows_is_refused() -> None:
    for positions, high in (([10**6], [1]), ([3, 3], [1, 1]), ([3], [2**60])):
        message = TableSketches.empty(LAYOUT).to_message()
        message.large_positions = np.array(positions, "<u4").tobytes()
        message.large_lookups = np.array(high, "<u8").tobytes()
        with pytest.raises(ValueError, match="tables: "):
            check_tables(message)


def test_lookups_beyond_what_can_be_counted_are_refused() -> None:
    message = TableSketches.empty(LAYOUT).to_message()
    message.lookups[0] = 2**63
    with pytest.raises(ValueError, match="more lookups"):
        check_tables(message)


@given(st.binary(max_size=60))
def test_any_bytes_as_a_layout_are_refused_or_a_layout(data: bytes) -> None:
    try:
        layout = TableLayout.from_data(data)
    except (ValueError, DecodeError):
        return
    assert len({table.name for table in layout.tables}) == len(layout.tables)


def test_a_table_takes_at_most_ten_kilobytes() -> None:
    for rows in (1, 1000, 2048, 2049, 32_768, 32_769, 200_000_000):
        sketches = TableSketches.empty(TableLayout([TableSpec("t", rows)]))
        for array in (sketches.touched, sketches.bucket_lookups, sketches.row_norms):
            array[:] = 1
        assert sketches.to_message().ByteSize() < 10_000, rows
