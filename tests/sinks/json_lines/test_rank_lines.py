import json
from pathlib import Path

import numpy as np
import pytest

from raymon.results import FORWARD, HOST_BYTES, PEERS, RankNumbers, Snapshot
from raymon.sinks import RankLines, read_lines
from tests.sinks.snapshots import snapshot
from tests.storage.objects import Objects


def of_ranks(end_step: int, ranks: int, seconds: float, value: float = 1.0) -> Snapshot:
    """Ten steps in which each rank works for `value` seconds, and none waits."""
    columns = {FORWARD: value, PEERS: 0.0, HOST_BYTES: 1000.0 * end_step}
    values = np.tile(np.array(list(columns.values()), np.float32), (ranks, 1))
    numbers = RankNumbers(tuple(columns), tuple(range(ranks)), values)
    return snapshot(end_step, rank_numbers=numbers, seconds=seconds)


def lines(directory: Path) -> list[dict]:
    return read_lines(directory / "monitor" / "ranks.jsonl")


def test_the_windows_of_few_ranks_have_a_line_each(tmp_path) -> None:
    sink = RankLines(tmp_path, clock=lambda: 1e9)
    for step in (10, 20):
        sink.write(of_ranks(step, 2, 0.5, 0.123456))
    assert lines(tmp_path)[1] == {
        "global_step": 20,
        "first_step": 10,
        "samples": 2000,
        "seconds": 0.5,
        "world_size": 2,
        "ranks": [0, 1],
        "rank_numbers": {FORWARD: [0.1235, 0.1235], HOST_BYTES: [20000.0, 20000.0]},
        "time": 1e9,
    }


def test_those_of_many_are_added_up_and_none_is_lost(tmp_path) -> None:
    """A line of 50 ranks has 5 s: five windows of 1 s."""
    sink = RankLines(tmp_path)
    for step in range(10, 80, 10):
        sink.write(of_ranks(step, 50, 1.0))
    (line,) = lines(tmp_path)
    assert (line["first_step"], line["global_step"], line["samples"]) == (0, 50, 10_000)
    assert line["rank_numbers"][FORWARD] == [5.0] * 50
    sink.close()
    assert lines(tmp_path)[1]["rank_numbers"][FORWARD] == [2.0] * 50


def test_a_line_has_steps_of_the_same_ranks_alone(tmp_path) -> None:
    sink = RankLines(tmp_path)
    sink.write(of_ranks(10, 50, 1.0))
    sink.write(of_ranks(20, 40, 1.0))
    sink.close()
    assert [len(line["ranks"]) for line in lines(tmp_path)] == [50, 40]


def test_steps_that_are_taken_back_are_in_no_line(tmp_path) -> None:
    sink = RankLines(tmp_path)
    for step in (10, 20, 30):
        sink.write(of_ranks(step, 2, 1.0))
    sink.write(of_ranks(40, 50, 1.0))
    sink.roll_back(20, 20)
    sink.close()
    assert [line["global_step"] for line in lines(tmp_path)] == [10, 20]


def test_numbers_without_a_value_are_null(tmp_path) -> None:
    sink = RankLines(tmp_path)
    numbers = RankNumbers((FORWARD,), (0, 1), np.array([[1.0], [np.nan]], np.float32))
    sink.write(snapshot(10, rank_numbers=numbers))
    sink.write(snapshot(20))
    text = (tmp_path / "monitor" / "ranks.jsonl").read_text()
    assert json.loads(text)["rank_numbers"] == {FORWARD: [1.0, None]}


def test_on_object_storage_they_are_read_as_one_file() -> None:
    objects = Objects()
    sink = RankLines(objects.path())
    for step in (10, 20):
        sink.write(of_ranks(step, 2, 1.0))
    sink.close()
    found = read_lines(objects.path() / "monitor" / "ranks.jsonl")
    assert [line["global_step"] for line in found] == [10, 20]


def test_of_a_long_file_the_newest_lines_are_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("raymon.sinks.json_lines.read_lines.MOST_BYTES", 500)
    sink = RankLines(tmp_path)
    for step in range(10, 310, 10):
        sink.write(of_ranks(step, 2, 1.0))
    steps = [line["global_step"] for line in lines(tmp_path)]
    assert steps == list(range(steps[0], 310, 10))
    assert 0 < len(steps) < 5


def test_a_file_that_is_not_there_has_no_lines(tmp_path) -> None:
    assert lines(tmp_path) == []


@pytest.mark.parametrize("text", ["", "[1]\n", "nonsense\n"])
def test_what_is_no_object_is_left_out(tmp_path, text: str) -> None:
    (tmp_path / "monitor").mkdir()
    (tmp_path / "monitor" / "ranks.jsonl").write_text(text)
    assert lines(tmp_path) == []
