"""Evaluations, checkpoints and the end, as a loop of somebody else tells them to the monitor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import raymon
from raymon.results import AttemptBegan, CheckpointSaved, Evaluation, RunEnded
from raymon.sinks import SCORES_FILE, RunSink
from tests.sinks.run_events import EventSink


def test_a_sink_gets_the_events_of_a_run_in_order_with_its_numbers(tmp_path: Path) -> None:
    sink = EventSink()
    assert isinstance(sink, RunSink)
    with raymon.Monitor(model_dir=tmp_path, log_step_count_steps=2, sinks=[sink]) as monitor:
        for _ in range(2):
            monitor.step({"bce": torch.tensor(0.5)})
        monitor.evaluation({"auc": torch.tensor(0.75)})
        monitor.checkpoint(tmp_path / "model.pt")
    saved = next(event for event in sink.events if isinstance(event, CheckpointSaved))
    assert (saved.step, saved.path) == (2, str(tmp_path / "model.pt"))
    scores = Evaluation(2, {"auc": 0.75})
    began, ended = AttemptBegan(1, 1, 0), RunEnded("done")
    assert sink.events == ["roll back", began, 2, scores, saved, ended, "close"] or (
        sink.events == [began, "roll back", 2, scores, saved, ended, "close"]
    )


def test_scores_that_a_loop_gives_are_in_the_files_of_evaluations(tmp_path: Path) -> None:
    with raymon.Monitor(model_dir=tmp_path, log_step_count_steps=1) as monitor:
        monitor.step({"bce": torch.tensor(0.5)})
        monitor.evaluation({"auc": 0.75})
        monitor.evaluation({"auc": "high"})
        monitor.evaluation([0.75])
        assert monitor.failures == 2
    assert json.loads((tmp_path / SCORES_FILE).read_text()) == {"global_step": 1, "auc": 0.75}
    line = json.loads((tmp_path / "monitor" / "evaluations.jsonl").read_text())
    assert (line["global_step"], line["metrics"]) == (1, {"auc": 0.75})


def test_a_score_that_is_wrong_costs_only_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with raymon.Monitor(model_dir=tmp_path, log_step_count_steps=1) as monitor:
        monitor.step({"bce": torch.tensor(0.5)})
        scores = {"auc": torch.tensor([0.75], dtype=torch.float64), "loss": float("inf")}
        monitor.evaluation({**scores, "a b": 1.0, "rows": torch.ones(3), 3: 1.0}, step=7)
        assert monitor.failures == 3
    line = json.loads((tmp_path / "monitor" / "evaluations.jsonl").read_text())
    assert (line["global_step"], line["metrics"]) == (7, {"auc": 0.75, "loss": None})
    assert line["no_value"] == {"loss": "what was given is NaN or infinite"}
    for said in ("no line can show this name", "has shape [3]", "a name is a text"):
        assert said in caplog.text


def test_scores_ask_no_device_for_a_number_on_the_training_thread() -> None:
    monitor = raymon.Monitor(log_step_count_steps=1)
    # A meta tensor raises where somebody asks for its value.
    monitor.evaluation({"auc": torch.ones((), device="meta")})
    assert monitor.failures == 0
    monitor.step({"bce": 0.5})
    monitor.close()
    assert monitor.failures == 1


def test_a_loop_that_fails_ends_as_failed_with_its_error() -> None:
    sink = EventSink()

    def train() -> None:
        with raymon.Monitor(log_step_count_steps=1, sinks=[sink]) as monitor:
            monitor.step({"bce": torch.tensor(0.5)})
            raise ZeroDivisionError("no rows")

    with pytest.raises(ZeroDivisionError):
        train()
    (ended,) = (event for event in sink.events if isinstance(event, RunEnded))
    assert ended.status == "failed"
    assert ended.error is not None
    assert "no rows" in ended.error
