"""Scalars of the user's own, from `Monitor.log` to all places that show numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import raymon
from raymon.board.terminal.curves import curves_of
from raymon.sinks import RunGauges
from raymon.sinks.terminal.progress_text import progress_line, short_suffix


def lines(directory: Path) -> list[dict]:
    path = directory / "monitor/windows.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_logged_is_everywhere_where_numbers_are(tmp_path: Path) -> None:
    with raymon.Monitor(log_step_count_steps=10, model_dir=tmp_path) as monitor:
        for step in range(25):
            monitor.log({"norm": torch.tensor(float(step)), "train/nan": math.nan})
            monitor.log({"longest": step}, reduce="max")
            monitor.log({"seen": 2}, reduce="sum")
            monitor.step({"bce": 0.5}, samples=8)
    expected = [
        {"longest": 9.0, "norm": 4.5, "seen": 20.0, "train/nan": None},
        {"longest": 19.0, "norm": 14.5, "seen": 20.0, "train/nan": None},
        {"longest": 24.0, "norm": 22.0, "seen": 10.0, "train/nan": None},
    ]
    assert [line["scalars"] for line in lines(tmp_path)] == expected
    assert lines(tmp_path)[0]["non_finite_scalars"] == {"train/nan": 10}
    assert lines(tmp_path)[0]["no_value"] == {
        "scalar/train/nan": "none of 10 values is a number that can be added up"
    }
    last = monitor.snapshot()
    assert last is not None
    assert last.scalars["norm"] == 22.0
    assert math.isnan(last.scalars["train/nan"])
    for text in (progress_line(last), short_suffix(last)):
        assert "longest:24.00000 norm:22.00000 seen:10.00000 train/nan:-" in text
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [point.value for point in events.Scalars("scalar/norm")] == [4.5, 14.5, 22.0]
    assert "scalar/train/nan" not in events.Tags()["scalars"]
    gauges = RunGauges(str(tmp_path))
    gauges.write(last)
    assert gauges.series()["raymon_scalar", (("name", "longest"),)] == 24.0
    run = raymon.Run(tmp_path)
    assert run.series.column("scalars.seen").tolist() == [20.0, 20.0, 10.0]
    assert {"norm", "longest", "seen"} <= {curve.name for curve in curves_of(run)}


def test_what_is_logged_goes_on_from_a_checkpoint_in_the_middle_of_a_point(tmp_path: Path) -> None:
    def train(first: int, last: int, **arguments: object) -> raymon.Monitor:
        monitor = raymon.Monitor(
            log_step_count_steps=10, model_dir=tmp_path, use_tensorboard=False, **arguments
        )
        for step in range(first, last):
            monitor.log({"x": step}, reduce="sum")
            monitor.step({"bce": 0.5})
        return monitor

    first = train(0, 17)
    first.checkpoint()
    first.log({"x": 1e6}, reduce="sum")
    first.step({"bce": 0.5})
    first.close()
    train(17, 20, first_step=17).close()
    assert [line["scalars"]["x"] for line in lines(tmp_path)] == [
        sum(range(10)),
        sum(range(10, 20)),
    ]


def test_a_name_with_two_reductions_is_said_once_and_one_of_them_counts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    monitor = raymon.Monitor(log_step_count_steps=10)
    for step in range(10):
        monitor.log({"x": step}, reduce="max")
        monitor.log({"x": 1000 + step})
        monitor.step({"bce": 0.5})
    assert monitor.close()
    assert monitor.failures == 10
    said = [r.message for r in caplog.records if "scalar x is logged" in r.message]
    assert len([text for text in said if "failures (" not in text]) == 1
    last = monitor.snapshot()
    assert last is not None
    assert last.scalars == {"x": 9.0}


def test_nothing_is_logged_after_the_end(caplog: pytest.LogCaptureFixture) -> None:
    monitor = raymon.Monitor(log_step_count_steps=1)
    monitor.step({"bce": 0.5})
    assert monitor.close()
    monitor.log({"x": 1.0})
    assert monitor.failures == 1
    assert "a scalar after close() is in no number" in caplog.text


def test_logging_asks_no_device_for_a_number(caplog: pytest.LogCaptureFixture) -> None:
    # A meta tensor raises where somebody asks for its value.
    monitor = raymon.Monitor(log_step_count_steps=10)
    monitor.log({"x": torch.ones((), device="meta")})
    assert monitor.failures == 0
    monitor.step({"bce": 0.5})
    assert monitor.close()
    assert "logged scalars are missing" in caplog.text
