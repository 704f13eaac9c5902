"""The lines in the log of the reporter."""

from __future__ import annotations

import logging
import pickle

import pytest

from raymon.results import Evaluation
from raymon.sinks import StatusLines
from tests.sinks.snapshots import snapshot


def test_a_reader_sees_how_the_run_goes_and_not_every_window(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    sink = StatusLines(10.0, lambda: now[0])
    with caplog.at_level(logging.INFO, "raymon"):
        for step in range(10, 60, 10):
            sink.write(snapshot(step))
            now[0] += 5.0
        sink.write_evaluation(Evaluation(50, {"auc": 0.75}))
        sink.roll_back(20, 20)
        sink.close()
    lines = caplog.messages
    assert [line.split(" [")[0] for line in lines] == [
        "Training Epoch 0: 10it",
        "Training Epoch 0: 30it",
        "Training Epoch 0: 50it",
        "Evaluation at step 50: auc:0.75000",
        "On from step 20",
        "The run is over",
    ]
    assert "auc:0.71234" in lines[0]
    assert "ranks:2/2" in lines[0]


def test_it_travels_to_the_process_of_the_reporter(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "raymon"):
        pickle.loads(pickle.dumps(StatusLines(10.0))).write(snapshot(10))
    assert "Training Epoch 0: 10it" in caplog.text
