import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from raymon.cli.commands import raymon
from raymon.sinks import read_lines
from tests.board.terminal.made_runs import alert, make_run, window


def output(*words: object) -> str:
    result = CliRunner().invoke(raymon, ["watch", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.fixture
def run(tmp_path: Path) -> Path:
    windows = [window(10), window(20, losses={"total_loss": None}), window(30)]
    return make_run(
        tmp_path / "run",
        windows,
        alerts=[alert(10), alert(20, is_over=True), alert(30, "loss_spike")],
        scores=[{"global_step": 20, "auc": 0.75}],
        summary={"steps": 30, "total_steps": 60, "samples_per_second": 12.5},
    )


def test_the_data_of_a_frame_are_the_numbers_of_the_lines(run: Path) -> None:
    frame = json.loads(output(run, "--json"))
    lines = read_lines(run / "monitor" / "windows.jsonl")
    curves = {curve["name"]: curve for curve in frame["curves"]}
    assert curves["total_loss"]["train"] == {
        "step": [line["global_step"] for line in lines],
        "time": [line["time"] for line in lines],
        "value": [line["losses"]["total_loss"] for line in lines],
    }
    assert curves["auc"]["evaluation"] == {"step": [20], "time": [1020.0], "value": [0.75]}
    assert frame["train"] == {**lines[-1]["losses"], **lines[-1]["metrics"]}
    assert frame["evaluation"] == {"auc": 0.75}
    assert (frame["step"], frame["total_steps"], frame["samples_per_second"]) == (30, 60, 12.5)
    assert [line["is_on"] for line in frame["alerts"]] == [False, False, True]


def test_one_frame_has_no_control_codes_where_there_is_no_terminal(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    lines = output(run, "--once").split("\n")
    assert all(line.isprintable() and len(line) <= 80 for line in lines)
    assert "run  done" in lines[0]
    assert "step 30 of 60  50 %" in lines[1]


def test_a_pipe_gets_one_frame(run: Path) -> None:
    assert output(run) == output(run, "--once")


def test_what_is_no_run_is_said_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(raymon, ["watch", str(tmp_path)])
    assert "not the directory of a run" in str(result.exception)
