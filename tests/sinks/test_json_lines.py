import json
from pathlib import Path

from raymon.sinks import Evaluation, EvaluationLines, WindowLines
from tests.sinks.snapshots import snapshot


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_evaluation_is_a_line_with_the_step_first(tmp_path: Path) -> None:
    lines = EvaluationLines(tmp_path)
    lines.write_evaluation(Evaluation(100, {"auc": 0.75, "binary_cross_entropy": 0.5}))
    (line,) = (tmp_path / "train_eval_result_v2.txt").read_text().splitlines()
    assert list(json.loads(line)) == ["global_step", "auc", "binary_cross_entropy"]


def test_a_window_is_a_line_with_its_numbers(tmp_path: Path) -> None:
    WindowLines(tmp_path).write(snapshot(10))
    (line,) = read(tmp_path / "monitor/windows.jsonl")
    assert line["global_step"] == 10
    assert line["losses"] == {"binary_cross_entropy": 0.52341, "total_loss": 0.52341}
    assert line["metrics"] == {"auc": 0.71234}
    assert (line["ranks"], line["world_size"]) == (2, 2)
    assert line["samples_per_second"] == 4000.0


def test_what_is_not_a_number_is_null(tmp_path: Path) -> None:
    EvaluationLines(tmp_path).write_evaluation(Evaluation(1, {"auc": float("nan")}))
    assert read(tmp_path / "train_eval_result_v2.txt") == [{"global_step": 1, "auc": None}]


def test_a_roll_back_drops_later_lines_and_half_a_line(tmp_path: Path) -> None:
    lines = EvaluationLines(tmp_path)
    for step in (100, 200, 300):
        lines.write_evaluation(Evaluation(step, {"auc": 0.5}))
    path = tmp_path / "train_eval_result_v2.txt"
    path.write_text(path.read_text() + '{"global_step": 50, "au')
    lines.roll_back(200)
    assert [line["global_step"] for line in read(path)] == [100, 200]


def test_a_roll_back_of_nothing_makes_no_file(tmp_path: Path) -> None:
    WindowLines(tmp_path).roll_back(10)
    assert list(tmp_path.iterdir()) == []
