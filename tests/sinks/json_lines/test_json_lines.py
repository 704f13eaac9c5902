import json
import os
import subprocess
from pathlib import Path

import pytest

from raymon.results import DeviceNumbers, Evaluation
from raymon.sinks import BackgroundSink, EvaluationLines, WindowLines
from tests.installed import installed_python
from tests.sinks.snapshots import snapshot

FILE = "train_eval_result_v2.txt"


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def steps(path: Path) -> list[int]:
    return [line["global_step"] for line in read(path)]


def test_an_evaluation_is_a_line_with_the_step_first(tmp_path: Path) -> None:
    lines = EvaluationLines(tmp_path)
    lines.write_evaluation(Evaluation(100, {"auc": 0.75, "binary_cross_entropy": 0.5}))
    (line,) = (tmp_path / FILE).read_text().splitlines()
    assert list(json.loads(line)) == ["global_step", "auc", "binary_cross_entropy"]


def test_a_window_is_a_line_with_its_numbers(tmp_path: Path) -> None:
    device = DeviceNumbers(1 << 30, 5, 6, 150, 2)
    WindowLines(tmp_path).write(snapshot(10, host_bytes=3 << 30, device=device))
    (line,) = read(tmp_path / "monitor/windows.jsonl")
    assert line["global_step"] == 10
    assert line["losses"] == {"binary_cross_entropy": 0.52341, "total_loss": 0.52341}
    assert line["metrics"] == {"auc": 0.71234}
    assert (line["ranks"], line["world_size"]) == (2, 2)
    assert line["samples_per_second"] == 4000.0
    assert (line["host_bytes"], line["device_bytes"]) == (3 << 30, 1 << 30)
    assert (line["device_allocated_bytes"], line["device_reserved_bytes"]) == (5, 6)
    assert line["device_utilization"] == 0.75


def test_a_cpu_has_null_for_what_is_of_devices(tmp_path: Path) -> None:
    WindowLines(tmp_path).write(snapshot(10))
    (line,) = read(tmp_path / "monitor/windows.jsonl")
    assert line["device_bytes"] is line["device_utilization"] is None


def test_what_is_not_a_number_is_null(tmp_path: Path) -> None:
    EvaluationLines(tmp_path).write_evaluation(Evaluation(1, {"auc": float("nan")}))
    assert read(tmp_path / FILE) == [{"global_step": 1, "auc": None}]


def test_a_roll_back_drops_later_lines_and_half_a_line(tmp_path: Path) -> None:
    lines = EvaluationLines(tmp_path)
    for step in (100, 200, 300):
        lines.write_evaluation(Evaluation(step, {"auc": 0.5}))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"global_step": 50, "au')
    lines.roll_back(300, 200)
    assert steps(tmp_path / FILE) == [100, 200]


def test_windows_and_evaluations_go_back_to_steps_of_their_own(tmp_path: Path) -> None:
    windows, evaluations = WindowLines(tmp_path), EvaluationLines(tmp_path)
    for step in (100, 200):
        windows.write(snapshot(step))
        evaluations.write_evaluation(Evaluation(step, {"auc": 0.5}))
    for lines in (windows, evaluations):
        lines.roll_back(200, 199)
    assert steps(tmp_path / "monitor/windows.jsonl") == [100, 200]
    assert steps(tmp_path / FILE) == [100]


def test_a_roll_back_of_nothing_makes_no_file(tmp_path: Path) -> None:
    WindowLines(tmp_path).roll_back(10, 10)
    assert list(tmp_path.iterdir()) == []


def test_a_roll_back_that_fails_leaves_all_lines_and_no_other_file(
    tmp_path: Path, monkeypatch
) -> None:
    lines = EvaluationLines(tmp_path)
    for step in (100, 200):
        lines.write_evaluation(Evaluation(step, {"auc": 0.5}))
    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            lines.roll_back(100, 100)
    assert steps(tmp_path / FILE) == [100, 200]
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("torn", ['{"global_step": 200, "au', "x" * 10_000, '{"global_step": 200}'])
def test_half_a_line_of_a_process_that_was_killed_spoils_no_other(tmp_path: Path, torn) -> None:
    EvaluationLines(tmp_path).write_evaluation(Evaluation(100, {"auc": 0.5}))
    with (tmp_path / FILE).open("a") as file:
        file.write(torn)
    EvaluationLines(tmp_path).write_evaluation(Evaluation(200, {"auc": 0.7}))
    assert read(tmp_path / FILE) == [
        {"global_step": 100, "auc": 0.5},
        {"global_step": 200, "auc": 0.7},
    ]


def test_half_a_line_between_two_of_a_sink_spoils_no_other(tmp_path: Path) -> None:
    lines = EvaluationLines(tmp_path)
    lines.write_evaluation(Evaluation(100, {"auc": 0.5}))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"global_step": 150, "au')
    lines.write_evaluation(Evaluation(200, {"auc": 0.5}))
    assert steps(tmp_path / FILE) == [100, 200]


def test_a_file_that_is_taken_away_is_begun_anew(tmp_path: Path) -> None:
    lines = WindowLines(tmp_path)
    lines.write(snapshot(10))
    (tmp_path / "monitor/windows.jsonl").unlink()
    (tmp_path / "monitor").rmdir()
    lines.write(snapshot(20))
    assert steps(tmp_path / "monitor/windows.jsonl") == [20]


def test_a_file_that_is_half_a_line_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"glob')
    EvaluationLines(tmp_path).write_evaluation(Evaluation(200, {"auc": 0.7}))
    assert steps(tmp_path / FILE) == [200]


@pytest.mark.parametrize("before", [[], [100]])
def test_a_write_that_fails_half_way_leaves_the_file_as_it_was(
    tmp_path: Path, full_disk, before: list[int]
) -> None:
    lines = EvaluationLines(tmp_path)
    for step in before:
        lines.write_evaluation(Evaluation(step, {"auc": 0.5}))
    full_disk[0] = 1
    with pytest.raises(OSError, match="No space left"):
        lines.write_evaluation(Evaluation(200, {"auc": 0.5}))
    assert steps(tmp_path / FILE) == before


def test_a_line_that_is_tried_again_is_written_once(tmp_path: Path, full_disk) -> None:
    sink = BackgroundSink(WindowLines(tmp_path), tries=3, retry_s=0.001)
    full_disk[0] = 2
    for step in (10, 20):
        sink.write(snapshot(step))
    sink.close()
    assert steps(tmp_path / "monitor/windows.jsonl") == [10, 20]
    assert (sink.failures, sink.take_notices()) == (0, [])


FILL = """
import resource, signal, sys
from pathlib import Path
from raymon.sinks import BackgroundSink, EvaluationLines
from raymon.results import Evaluation

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sink = BackgroundSink(EvaluationLines(Path(sys.argv[1])), tries=2, retry_s=0.001)
for step in range(1, 41):
    sink.write_evaluation(Evaluation(step, {"auc": 0.5}))
sink.close()
print(sink.failures, sink.dropped, *sink.take_notices())
"""


def test_a_file_that_may_not_grow_keeps_whole_lines_and_the_failures_are_told(
    tmp_path: Path,
) -> None:
    limited = FILL.replace(
        "sink = ", "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\nsink = ", 1
    )
    said = subprocess.run(
        [installed_python(), "-c", limited, tmp_path], capture_output=True, text=True, check=True
    ).stdout
    kept = steps(tmp_path / FILE)
    assert kept == list(range(1, len(kept) + 1))
    assert 20 <= len(kept) < 40
    failures, dropped, notice = said.strip().split(" ", 2)
    assert (int(failures), int(dropped)) == (40 - len(kept), 0)
    assert notice == "EvaluationLines: OSError: [Errno 27] File too large (given up after 2 tries)"
