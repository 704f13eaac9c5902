"""Whatever becomes of a file, what was read of it in steps is what is read of it at once."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.results import Alert, Finding
from raymon.runs import Columns
from raymon.runs.reading.alert_builder import AlertBuilder
from raymon.runs.reading.column_builder import ColumnBuilder
from raymon.runs.reading.growing import Growing, growing
from raymon.runs.reading.growing_file import GrowingFile
from raymon.runs.reading.growing_object import GrowingObject
from raymon.runs.reading.line_numbers import numbers_of_lines
from raymon.runs.reading.rank_builder import RankBuilder
from raymon.runs.reading.records import RecordBuilder
from raymon.storage import ObjectLog, to_json
from tests.storage.objects import Objects

NAMES = st.sampled_from(["a", "b", "c.d", "e\n", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["", "7"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=4)
LINES = st.one_of(
    RECORDS.map(lambda record: json.dumps(record).encode()),
    st.sampled_from(
        [b"", b"3", b"[1]", b'{"a": 1', b"\xff", b'{"a": "\xff"}', b'{"a": 1}{"a": 2}']
    ),
)
CHANGES = st.one_of(
    st.tuples(st.just("append"), st.lists(LINES, min_size=1, max_size=12)),
    st.tuples(st.just("tear"), LINES),
    st.tuples(st.just("roll back"), st.integers(0, 20)),
    st.tuples(st.just("thin"), st.integers(2, 3)),
    st.tuples(st.just("truncate"), st.integers(0, 200)),
    st.tuples(st.just("delete"), st.none()),
    st.tuples(st.just("read"), st.integers(0, 3)),
)


def columns_of(lines: Growing) -> Columns:
    builder = ColumnBuilder()
    for piece in lines.pieces():
        builder.take(piece)
    return builder.value()


def by_definition(data: bytes) -> Columns:
    """The columns of a file, parsed by Python's parser, line by line."""
    records = []
    for line in data.split(b"\n")[:-1]:
        try:
            record = json.loads(line.decode(errors="replace"))
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return Columns.of_lines(records)


def assert_same(found: Columns, expected: Columns) -> None:
    assert len(found) == len(expected)
    assert set(found.names) == set(expected.names)
    for name in expected.names:
        np.testing.assert_array_equal(found.column(name), expected.column(name), name)


def change(path: Path, kind: str, what) -> None:
    data = path.read_bytes() if path.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]
    if kind == "append":
        # As the sinks do: a torn line is cut off first.
        with path.open("ab") as file:
            file.truncate(len(whole))
            file.write(b"".join(line + b"\n" for line in what))
    elif kind == "tear":
        with path.open("ab") as file:
            file.write(what)
    elif kind == "roll back":
        replace(path, whole.splitlines(keepends=True)[:what])
    elif kind == "thin":
        replace(path, whole.splitlines(keepends=True)[::what])
    elif kind == "truncate":
        path.write_bytes(data[:what])
    elif kind == "delete":
        path.unlink(missing_ok=True)


def replace(path: Path, lines: list[bytes]) -> None:
    new = path.with_name("new")
    new.write_bytes(b"".join(lines))
    os.replace(new, path)


@given(changes=st.lists(CHANGES, max_size=12), piece_bytes=st.sampled_from([1, 40, 400, 1 << 20]))
@settings(max_examples=100, deadline=None)
def test_what_is_read_in_steps_is_what_is_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, changes, piece_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("run") / "windows.jsonl"
    lines, builder = GrowingFile(path, piece_bytes), ColumnBuilder()
    seen: list[tuple[Columns, list[np.ndarray]]] = []
    for kind, what in [*changes, ("read", 99)]:
        change(path, kind, what)
        if kind == "read":
            for count, piece in enumerate(lines.pieces()):
                builder.take(piece)
                if count == what:
                    # A reader may stop after any piece, and go on later.
                    break
            value = builder.value()
            seen.append((value, [value.column(name).copy() for name in value.names]))
    for piece in lines.pieces():
        builder.take(piece)
    data = path.read_bytes() if path.exists() else b""
    assert_same(builder.value(), by_definition(data))
    assert_same(columns_of(growing(path)), by_definition(data))
    for value, copies in seen:
        # What was given out has not changed since.
        for name, copy in zip(value.names, copies, strict=True):
            np.testing.assert_array_equal(value.column(name), copy)


def split(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def alert_line(step: int) -> bytes:
    return to_json(Alert(Finding("spike", f"at {step}"), 1, step, 1.0).to_json()).encode()


def rank_line(step: int) -> bytes:
    numbers = {"forward": [0.5, None], **({"peers": [1.0, 2.0]} if step % 3 else {})}
    record = {"global_step": step, "first_step": 0, "seconds": 1.0, "world_size": 2,
              "ranks": [0, 1], "rank_numbers": numbers}  # fmt: skip
    return json.dumps(record).encode()


KINDS = st.one_of(LINES, st.integers(0, 9).map(alert_line), st.integers(0, 9).map(rank_line))


@given(
    changes=st.lists(
        st.one_of(st.tuples(st.just("append"), st.lists(KINDS, min_size=1, max_size=12)), CHANGES),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_alerts_records_and_ranks_read_in_steps_are_those_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, changes
) -> None:
    path = tmp_path_factory.mktemp("run") / "lines.jsonl"
    lines = GrowingFile(path, 400)

    def builders() -> list:
        return [AlertBuilder(), RecordBuilder(dict), RankBuilder()]

    def take(lines: Growing, into: list) -> list:
        for piece in lines.pieces():
            for builder in into:
                builder.take(piece)
        return [builder.value() for builder in into]

    followed = builders()
    for kind, what in changes:
        change(path, kind, what)
        if kind == "read":
            take(lines, followed)
    (alerts, records, ranks), expected = take(lines, followed), take(growing(path), builders())
    assert alerts == expected[0]
    assert json.dumps(list(records)) == json.dumps(list(expected[1]))
    assert [line.end_step for line in ranks] == [line.end_step for line in expected[2]]
    for one, other in zip(ranks, expected[2], strict=True):
        for name in {*one.numbers.names, *other.numbers.names}:
            np.testing.assert_array_equal(one.numbers.column(name), other.numbers.column(name))


PARTS = st.one_of(
    st.tuples(st.just("append"), st.lists(LINES, min_size=1, max_size=12)),
    st.tuples(st.just("many"), st.integers(1, 70)),
    st.tuples(st.just("cut"), st.integers(0, 30)),
    st.tuples(st.just("replace"), st.lists(LINES, max_size=5)),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("read"), st.integers(0, 3)),
)


@given(changes=st.lists(PARTS, max_size=12))
@settings(max_examples=60, deadline=None)
def test_parts_read_in_steps_are_the_log_read_at_once(changes) -> None:
    path = Objects().path("run/monitor/windows.jsonl")
    log = ObjectLog(path, split)
    lines, builder = GrowingObject(path), ColumnBuilder()
    for kind, what in changes:
        if kind == "append":
            log.append([line + b"\n" for line in what])
        elif kind == "many":
            for number in range(what):
                log.append([b'{"a": %d}\n' % number])
        elif kind == "cut":
            log.cut(min(what, len(log.read())))
        elif kind == "replace":
            log.replace([line + b"\n" for line in what])
        elif kind == "restart":
            log = ObjectLog(path, split)
        else:
            for count, piece in enumerate(lines.pieces()):
                builder.take(piece)
                if count == what:
                    break
    for piece in lines.pieces():
        builder.take(piece)
    data = b"".join(ObjectLog(path, split).read())
    assert_same(builder.value(), by_definition(data))
    assert_same(columns_of(growing(path)), by_definition(data))


@given(versions=st.lists(st.lists(LINES, max_size=6), max_size=6))
@settings(max_examples=50, deadline=None)
def test_an_object_read_in_steps_is_the_object_read_at_once(versions) -> None:
    path = Objects().path("run/scores.txt")
    lines, builder = GrowingObject(path), ColumnBuilder()
    data = b""
    for version in versions:
        data = b"".join(line + b"\n" for line in version)
        path.write_bytes(data)
        for piece in lines.pieces():
            builder.take(piece)
    assert_same(builder.value(), by_definition(data))


def test_a_file_that_was_written_anew_in_its_place_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n')
    lines, builder = growing(path), ColumnBuilder()
    for content in (b"", b'{"b": 1}\n{"a": 2}\n{"a": 3}\n', b'{"c": 1}\n{"a": 2}\n{"a": 3}\n\n'):
        for piece in lines.pieces():
            builder.take(piece)
        with path.open("r+b") as file:
            file.write(content)
    for piece in lines.pieces():
        builder.take(piece)
    assert_same(builder.value(), by_definition(path.read_bytes()))


def test_a_part_that_arrives_late_comes_before_newer_ones() -> None:
    objects = Objects()
    path = objects.path("log")
    (path / "part-0000000005-000000001").write_bytes(b'{"a": 5}\n')
    lines, builder = GrowingObject(path), ColumnBuilder()
    for part in ("part-0000000004-000000000", "part-0000000006-000000002"):
        for piece in lines.pieces():
            builder.take(piece)
        (path / part).write_bytes(b'{"a": 1}\n{"a": 2}\n{"a": 3}\n')
    for piece in lines.pieces():
        builder.take(piece)
    assert builder.value().column("a").tolist() == [1, 5, 1, 2, 3]


@pytest.mark.parametrize(
    "odd", [b"", b"{}", b"3", b'{"a": 1}{"a": 2}', b'{"a": "x"}', b'{"a": {"b": 2}}', b'{"a": [3]}']
)
def test_lines_together_are_the_lines_one_by_one(odd: bytes) -> None:
    lines = [b'{"a": %d, "l": [{"x": 2}, null], "m": [1, null]}' % number for number in range(20)]
    data = b"".join(line + b"\n" for line in [*lines[:7], odd, *lines[7:]])
    found = numbers_of_lines(data, 21)
    expected = by_definition(data)
    assert found.rows == len(expected)
    assert set(found.columns) == set(expected.names)
    for name, column in found.columns.items():
        np.testing.assert_array_equal(column, expected.column(name))
