"""What is kept of the past of a long run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.sinks import TensorBoard, WindowLines
from raymon.sinks.thinning import WHOLE_S, thin
from tests.sinks.snapshots import snapshot
from tests.sinks.test_sinks_on_objects import lines_of, no_pauses
from tests.storage.copies import mirror
from tests.storage.objects import Objects

__all__ = ["no_pauses"]

HOUR = 3600.0
START = 1.7e9


@given(st.lists(st.integers(1, 50)), st.integers(0, 60), st.integers(1, 500))
def test_new_entries_stay_and_old_ones_are_as_many_as_fit(
    sizes: list[int], old: int, target: int
) -> None:
    entries = [b"%06d" % number + b"x" * size for number, size in enumerate(sizes)]
    kept = thin(entries, lambda entry: int(entry[:6]) < old, target)
    new = entries[old:]
    assert list(kept[len(kept) - len(new) :]) == new
    old_kept, old_ones = list(kept[: len(kept) - len(new)]), entries[:old]
    by_step = {step: old_ones[::step] for step in (1, 2, 4, 8, 16, 32, 64)}
    fitting = [step for step, those in by_step.items() if sum(map(len, those + new)) <= target]
    assert old_kept == by_step[min(fitting, default=64)]


def steps(text: str) -> list[int]:
    return [json.loads(line)["global_step"] for line in text.splitlines()]


def test_lines_of_the_last_day_stay_and_older_ones_are_the_sparser_the_older(
    tmp_path: Path,
) -> None:
    now, path = [START], tmp_path / "monitor" / "windows.jsonl"
    lines = WindowLines(tmp_path, 100_000, lambda: now[0])
    largest = 0
    for hour in range(1, 400):
        now[0] = START + hour * HOUR
        lines.write(snapshot(hour * 10))
        largest = max(largest, path.stat().st_size)
    kept = [step // 10 for step in steps(path.read_text())]
    assert kept == sorted(set(kept))
    assert set(range(400 - 24, 400)) <= set(kept)
    assert largest <= 102_000
    gaps = [after - before for before, after in pairwise(kept)]
    assert gaps[0] > gaps[-1] == 1
    assert kept[0] == 1


def test_a_roll_back_and_another_process_go_on_in_a_thinned_file(tmp_path: Path) -> None:
    now, path = [START], tmp_path / "monitor" / "windows.jsonl"
    lines = WindowLines(tmp_path, 30_000, lambda: now[0])
    for hour in range(1, 100):
        now[0] = START + hour * HOUR
        lines.write(snapshot(hour * 10))
    before = steps(path.read_text())
    assert len(before) < 99
    lines.roll_back(900, 900)
    again = WindowLines(tmp_path, 30_000, lambda: now[0])
    again.write(snapshot(910))
    assert steps(path.read_text()) == [*(step for step in before if step <= 900), 910]


def test_lines_without_a_time_are_of_the_past(tmp_path: Path) -> None:
    path = tmp_path / "monitor" / "windows.jsonl"
    path.parent.mkdir()
    path.write_text("".join(f'{{"global_step": {step}}}\n' for step in range(1000)))
    lines = WindowLines(tmp_path, 10_000, lambda: START)
    for step in (1000, 1001):
        lines.write(snapshot(step))
    there = steps(path.read_text())
    assert there[-2:] == [1000, 1001]
    assert len(there) < 600


def test_a_disk_on_which_nothing_can_be_thinned_takes_lines_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = tmp_path / "monitor" / "windows.jsonl", [START]
    lines = WindowLines(tmp_path, 3000, lambda: now[0])
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    for day in range(10):
        now[0] = START + day * WHOLE_S
        lines.write(snapshot(day))
    assert steps(path.read_text()) == list(range(10))
    assert "old lines are not thinned: full" in lines.take_notices()[0]


def test_lines_on_object_storage_are_thinned_too() -> None:
    objects, now = Objects(), [START]
    lines = WindowLines(objects.path(), 100_000, lambda: now[0])
    for hour in range(1, 300):
        now[0] = START + hour * HOUR
        lines.write(snapshot(hour * 10))
        lines.flush()
    kept = [json.loads(line)["global_step"] // 10 for line in lines_of(objects)]
    assert set(range(300 - 24, 300)) <= set(kept)
    assert len(kept) < 200
    assert sum(map(len, objects.objects.values())) <= 110_000
    again = WindowLines(objects.path(), 100_000, lambda: now[0])
    again.roll_back(2000, 2000)
    again.close()
    read = [json.loads(line)["global_step"] // 10 for line in lines_of(objects)]
    assert read == [hour for hour in kept if hour <= 200]


def points(directory: Path) -> list[tuple[int, float]]:
    events = EventAccumulator(str(directory), size_guidance={"scalars": 0}).Reload()
    return [(point.step, point.value) for point in events.Scalars("loss/bce")]


def write_hours(
    board: TensorBoard, now: list[float], hours: range, after: Callable[[], None]
) -> None:
    for hour in hours:
        now[0] = START + hour * HOUR
        board.write(snapshot(hour * 10, losses={"bce": float(hour)}))
        after()


def test_events_of_the_last_day_stay_and_older_ones_are_thinned(tmp_path: Path) -> None:
    now, largest = [START], [0]
    board = TensorBoard(tmp_path, ["loss"], 40_000, lambda: now[0])

    def look() -> None:
        sizes = (path.stat().st_size for path in tmp_path.glob("events*"))
        largest[0] = max(largest[0], sum(sizes))

    write_hours(board, now, range(1, 700), look)
    kept = points(tmp_path)
    assert all(step == value * 10 for step, value in kept)
    hours = [step // 10 for step, _ in kept]
    assert set(range(700 - 24, 700)) <= set(hours)
    assert len(hours) < 600
    assert largest[0] <= 45_000
    assert hours == sorted(hours)


def test_what_was_taken_back_stays_hidden_in_thinned_events(tmp_path: Path) -> None:
    now = [START]
    board = TensorBoard(tmp_path, ["loss"], 20_000, lambda: now[0])
    write_hours(board, now, range(1, 60), lambda: None)
    board.roll_back(300, 300)
    board = TensorBoard(tmp_path, ["loss"], 20_000, lambda: now[0])
    for hour in range(60, 400):
        now[0] = START + hour * HOUR
        board.write(snapshot((hour - 29) * 10, losses={"bce": -1.0}))
    kept = points(tmp_path)
    assert all((value == -1.0) == (step > 300) for step, value in kept)
    assert len(kept) < 350


def test_events_on_object_storage_are_thinned_too(tmp_path: Path) -> None:
    objects, now = Objects(), [START]
    board = TensorBoard(objects.path(), ["loss"], 40_000, lambda: now[0])
    write_hours(board, now, range(1, 500), board.flush)
    mirror(objects, tmp_path)
    hours = [step // 10 for step, _ in points(tmp_path / "run")]
    assert set(range(500 - 24, 500)) <= set(hours)
    assert len(hours) < 450
