"""A step that is not finite is made by no rank, and what it would have changed stays."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import raymon
from raymon.data import Batch
from raymon.errors import TrainingError
from raymon.protos.train_pb2 import OnNonfinite, TrainConfig
from raymon.sinks import read_alerts
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.loop.finite_steps import FiniteSteps
from raymon.training.rank.worker_context import WorkerContext
from tests.models.pipelines import batch_of
from tests.training.loop.test_train_step import steps_of, weights
from tests.training.rank_process import RankRun
from tests.training.scored_model import ScoredModel

SPARSE = [
    "sgd_optimizer { lr: 0.1 }",
    "adagrad_optimizer { lr: 0.1 }",
    "adam_optimizer { lr: 0.1 }",
    "rowwise_adagrad_optimizer { lr: 0.1 weight_decay: 0.1 weight_decay_mode: L2 }",
    "partial_rowwise_adam_optimizer { lr: 0.1 }",
]
DENSE = [
    "sgd_optimizer { lr: 0.1 momentum: 0.9 }",
    "adagrad_optimizer { lr: 0.1 }",
    "adam_optimizer { lr: 0.1 }",
    "adamw_optimizer { lr: 0.1 }",
    "rmsprop_optimizer { lr: 0.1 }",
    "adadelta_optimizer { lr: 0.1 }",
]
PAIRS = [(SPARSE[i % len(SPARSE)], DENSE[i]) for i in range(len(DENSE))] + [("", DENSE[2])]


def poison(monkeypatch: pytest.MonkeyPatch, model: Any, value: float) -> None:
    """Makes the losses of the model this value, with gradients that are finite."""
    loss = model.loss

    def poisoned(predictions: Any, batch: Any) -> dict[str, Tensor]:
        return {name: one * 0 + value for name, one in loss(predictions, batch).items()}

    monkeypatch.setattr(model, "loss", poisoned)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


@pytest.mark.parametrize(("sparse", "dense"), PAIRS)
@pytest.mark.parametrize("group", [1, 2])
def test_no_optimizer_and_no_state_moves_in_a_step_that_is_skipped(
    monkeypatch: pytest.MonkeyPatch, sparse: str, dense: str, group: int
) -> None:
    tables = f"sparse_optimizer {{ {sparse} }}" if sparse else ""
    text = f"{tables} dense_optimizer {{ {dense} }} on_nonfinite: SKIP_STEP"
    step, model, optimizers = steps_of(text)

    def make(seed: int, bad: bool) -> bool:
        for part in range(group):
            with monkeypatch.context() as patch:
                if bad and part == 0:
                    poison(patch, model, float("inf"))
                batch = batch_of(8, seed + part)
                step.backward(batch, group_rows=8 * group, group=group, last=part == group - 1)
        step.unscale()
        made = step.update()
        step.finite.forget()
        return made

    assert make(0, False)
    before, states = weights(model), copy.deepcopy(optimizers.state_dict()["optimizers"])
    assert not make(10, True)
    assert equal(weights(model), before)
    assert equal(optimizers.state_dict()["optimizers"], states)
    assert make(20, False)
    guarded = weights(model)
    # What follows is as if the step had never been.
    step, model, optimizers = steps_of(text.replace("SKIP_STEP", "WARN"))
    assert make(0, False)
    assert make(20, False)
    plain = weights(model)
    assert equal(guarded, plain)


class Poisoned(ScoredModel):
    """A model whose layer "bad" gives NaN in the fifth step, 4, in training."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.norm = nn.BatchNorm1d(1)
        self.bad = nn.Identity()
        self.last = nn.Linear(1, 1)
        self.bad.register_forward_hook(self._poison)
        self._calls = 0

    def _poison(self, module: nn.Module, given: Any, output: Tensor) -> Tensor:
        return output * torch.nan if self._calls == 5 else output

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        self._calls += self.training and torch.is_grad_enabled()
        prices = self.norm(batch.dense["price"].reshape(-1, 1))
        logits = self.last(self.bad(prices)).reshape(-1) + 0 * self.unused
        return {"probs": logits.sigmoid(), "logits": logits}


def settings_of(*more: str) -> list[str]:
    return [
        "ray_config.num_workers=0", "train_config.num_epochs=", "train_config.num_steps=8",
        "train_config.save_checkpoints_steps=100", "train_config.log_step_count_steps=2",
        "eval_input_path=", "export_config=", "model_config.deepfm=", "model_config.metrics=[]",
        f"model_config.custom={{class_path: '{__name__}:Poisoned'}}",
        *more,
    ]  # fmt: skip


def test_a_run_that_skips_a_step_counts_it_and_goes_on(
    config_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = ("train_config.on_nonfinite=SKIP_STEP", "train_config.find_nonfinite=true")
    summary = raymon.train(config_file, settings_of(*more))
    run = config_file.parent / "run"
    assert (summary.status, summary.skipped_steps, summary.steps) == ("done", 1, 8)
    windows = [json.loads(line) for line in (run / "monitor" / "windows.jsonl").open()]
    assert [window["skipped_steps"] for window in windows] == [0, 0, 1, 0]
    assert windows[2]["first_non_finite"] == {"binary_cross_entropy": {"step": 4, "rank": 0}}
    where = "step 4: binary_cross_entropy is nan on rank 0"
    which = "the first module whose output is not finite is bad, on rank 0"
    assert any(f"{where}; {which}; it is skipped" in message for message in caplog.messages)
    told = [alert for alert in read_alerts(run) if alert.finding.kind == "nonfinite"]
    assert [(a.finding.first_step, a.finding.rank, a.is_over) for a in told] == [
        (4, 0, False), (4, 0, True),
    ]  # fmt: skip
    assert summary.alerts is not None
    assert summary.alerts.counts["nonfinite"] == 1


def test_a_run_that_stops_fails_with_step_and_rank_and_keeps_the_last_good_model(
    config_file: Path,
) -> None:
    more = ("train_config.on_nonfinite=STOP", "train_config.save_checkpoints_steps=2")
    with pytest.raises(TrainingError) as raised:
        raymon.train(config_file, settings_of(*more))
    line = "step 4: binary_cross_entropy is nan on rank 0; on_nonfinite is STOP"
    assert str(raised.value).splitlines()[0].startswith(line)
    run = config_file.parent / "run"
    assert json.loads((run / "run.json").read_text())["status"] == "failed"
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [2, 4]
    told = [alert for alert in read_alerts(run) if alert.finding.kind == "nonfinite"]
    assert [(alert.finding.first_step, alert.is_over) for alert in told] == [(4, False)]


def test_the_model_of_the_step_before_is_saved_if_no_save_was_due(config_file: Path) -> None:
    with pytest.raises(TrainingError, match="step 4: binary_cross_entropy is nan on rank 0"):
        raymon.train(config_file, settings_of("train_config.on_nonfinite=STOP"))
    run = config_file.parent / "run"
    (checkpoint,) = list_checkpoints(run)
    assert checkpoint.step == 4
    # The fifth step of the process that goes on is another one.
    resumed = raymon.train(config_file, settings_of("train_config.on_nonfinite=STOP"), resume=True)
    assert (resumed.status, resumed.steps) == ("done", 8)


def test_what_a_forward_pass_changed_is_put_back_with_the_step() -> None:
    _, model, _ = steps_of("dense_optimizer { sgd_optimizer {} } on_nonfinite: SKIP_STEP")
    model.norm = nn.BatchNorm1d(3)
    context = WorkerContext(0, 1, torch.device("cpu"), RankRun())
    finite = FiniteSteps(TrainConfig(on_nonfinite=OnNonfinite.SKIP_STEP), model, context)
    before = copy.deepcopy(model.norm.state_dict())
    for made in (False, True):
        finite.begin(batch_of(8, 0))
        model.norm(torch.full((4, 3), torch.inf))
        finite.end(made)
        assert equal(model.norm.running_mean, before["running_mean"]) != made
