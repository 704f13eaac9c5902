"""A log that grows, on storage whose objects cannot."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.storage import ObjectLog, object_path
from raymon.storage.object_log import MERGED
from tests.storage.objects import Objects, now_and_then


@pytest.fixture(autouse=True, scope="module")
def no_pauses() -> Iterator[None]:
    """Makes reads try again at once when storage fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(object_path, "_READ_PAUSES_S", ())
        yield


def parts(objects: Objects) -> ObjectLog:
    return ObjectLog(objects.path() / "log", lambda data: data.splitlines(keepends=True))


def lines(*numbers: int) -> list[bytes]:
    return [b"%d\n" % number for number in numbers]


@given(st.lists(st.integers(1, 4), max_size=20))
def test_any_prefix_of_appends_is_read_back(sizes: list[int]) -> None:
    objects, written = Objects(), []
    writer = parts(objects)
    assert parts(objects).read() == []
    for size in sizes:
        new = lines(*range(len(written), len(written) + size))
        writer.append(new)
        written += new
        assert parts(objects).read() == written
    assert len(objects.objects) == len(sizes)


def test_there_are_never_many_parts() -> None:
    objects = Objects()
    writer = parts(objects)
    for number in range(1000):
        writer.append(lines(number))
        assert len(objects.objects) <= number / MERGED + MERGED
    assert parts(objects).read() == lines(*range(1000))
    # As cat prints them.
    assert b"".join(objects.objects[key] for key in sorted(objects.objects)) == b"".join(
        lines(*range(1000))
    )


@given(st.integers(0), st.integers(50, 150))
def test_whatever_fails_what_was_acknowledged_is_read_and_nothing_twice(
    seed: int, rounds: int
) -> None:
    """Requests fail, also after they happened; writers die; entries are taken back."""
    rng, objects = random.Random(seed), Objects()
    objects.arrives = lambda: rng.random() < 0.5
    durable: list[bytes] = []
    # What was tried to be added behind them.
    pending: list[bytes] = []
    writer, number = parts(objects), 0
    for _ in range(rounds):
        objects.fails = now_and_then(rng)
        chance = rng.random()
        if chance < 0.1:
            objects.fails = lambda kind: None
            writer = parts(objects)
            found = writer.read()
            assert found[: len(durable)] == durable
            # Of what failed, all that one of the tries had.
            assert found[len(durable) :] == pending[: len(found) - len(durable)]
            durable, pending = found, []
        elif chance < 0.2 and not pending:
            kept = rng.randrange(len(durable) + 1)
            try:
                writer.cut(kept)
            except OSError:
                objects.fails = lambda kind: None
                writer.cut(kept)
            durable = durable[:kept]
        else:
            pending.append(b"%d\n" % number)
            number += 1
            try:
                writer.append(pending)
            except OSError:
                continue
            durable, pending = durable + pending, []
    objects.fails = lambda kind: None
    found = parts(objects).read()
    assert found[: len(durable)] == durable
    if pending:
        writer.append(pending)
    assert parts(objects).read() == durable + pending


def test_what_a_dead_writer_sent_and_arrives_late_counts_for_nothing() -> None:
    objects = Objects()
    first = parts(objects)
    first.append(lines(0))
    late = dict(objects.objects)
    first.append(lines(1))
    second_key = next(key for key in objects.objects if key not in late)
    data = objects.objects.pop(second_key)
    second = parts(objects)
    second.append(lines(7))
    objects.objects[second_key] = data
    assert parts(objects).read() == lines(0, 7)
    second.append(lines(8))
    assert parts(objects).read() == lines(0, 7, 8)


def test_what_is_behind_a_lost_part_is_not_read() -> None:
    objects = Objects()
    writer = parts(objects)
    for number in range(4):
        writer.append(lines(number))
    del objects.objects[sorted(objects.objects)[1]]
    assert parts(objects).read() == lines(0)
    parts(objects).append(lines(9))
    assert parts(objects).read() == lines(0, 9)


def test_storage_that_cannot_be_read_is_not_taken_for_an_empty_one() -> None:
    objects = Objects()
    parts(objects).append(lines(0))

    def fail(kind: str) -> None:
        if kind == "get":
            raise OSError("503 SlowDown")

    objects.fails = fail
    writer = parts(objects)
    with pytest.raises(OSError, match="503"):
        writer.read()
    with pytest.raises(OSError, match="503"):
        writer.append(lines(1))
    objects.fails = lambda kind: None
    writer.append(lines(1))
    assert parts(objects).read() == lines(0, 1)


@given(st.integers(0), st.integers(20, 60))
def test_whatever_fails_all_entries_are_replaced_or_none(seed: int, rounds: int) -> None:
    rng, objects = random.Random(seed), Objects()
    objects.arrives = lambda: rng.random() < 0.5
    writer, number = parts(objects), 0
    assert writer.size == 0
    # What may be read: what is there for certain, or what was tried to be written last.
    durable: list[list[bytes]] = [[]]
    mine: list[bytes] = []
    for _ in range(rounds):
        objects.fails = now_and_then(rng)
        chance = rng.random()
        if chance < 0.1:
            objects.fails = lambda kind: None
            writer = parts(objects)
            mine = writer.read()
            assert mine in durable
            assert writer.size == len(b"".join(mine))
            durable = [mine]
            continue
        if chance < 0.3:
            new = mine[:: rng.choice([1, 2, 3])]
            change = writer.replace, new
        else:
            added = lines(number)
            number += 1
            new = mine + added
            change = writer.append, added
        try:
            change[0](change[1])
        except OSError:
            durable.append(new)
            if change[0] == writer.replace:
                mine = new
                continue
            # The same entries have to be added again.
            objects.fails = lambda kind: None
            writer.append(change[1])
        mine, durable = new, [new]
    objects.fails = lambda kind: None
    assert parts(objects).read() in durable
    writer.append(lines(number))
    assert parts(objects).read() == mine + lines(number)


def test_no_name_is_written_twice_also_after_all_entries_of_a_part_were_taken_back() -> None:
    objects = Objects()
    writer = parts(objects)
    writer.append(lines(1))
    writer.append(lines(2))
    writer.cut(1)
    names = set(objects.objects)
    writer.append(lines(3))
    assert len(objects.objects) == len(names) + 1
    assert parts(objects).read() == lines(1, 3)
