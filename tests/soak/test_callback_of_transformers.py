"""The callback for the trainer of Transformers, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import Trainer, TrainerCallback, TrainingArguments

from raymon.errors import UserError
from raymon.integrations.transformers import MonitorCallback
from raymon.metrics import DecayAUC, TrainMetricWrapper
from tests.integrations.lines import evaluations, summary, windows

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

ROWS, STEPS = 25, 20


class Clicks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(8, 1)
        self.losses: list[float] = []
        self.scores: list[Tensor] = []
        self.labels: list[Tensor] = []

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.net(x).squeeze(1)
        loss = binary_cross_entropy_with_logits(logits, labels)
        if self.training:
            self.losses.append(loss.item())
            self.scores.append(logits.detach().sigmoid())
            self.labels.append(labels)
        return {"loss": loss, "logits": logits}


class CountedLoss(Clicks):
    """A model whose loss is a part of the mean over all rows of the step, as those of texts are."""

    def forward(
        self, x: Tensor, labels: Tensor, num_items_in_batch: Any = None, **others: Any
    ) -> dict[str, Tensor]:
        outputs = super().forward(x, labels)
        if num_items_in_batch is not None:
            outputs["loss"] = outputs["loss"] * len(x) / num_items_in_batch
        return outputs


def rows(steps: int = STEPS, batches: int = 2) -> list[dict[str, Tensor]]:
    torch.manual_seed(0)
    x = torch.randn(ROWS * steps * batches, 8)
    labels = torch.bernoulli(torch.sigmoid(x.sum(1)))
    return [{"x": a, "labels": b} for a, b in zip(x, labels, strict=True)]


def callback(directory: Path, **others: Any) -> MonitorCallback:
    whole = TrainMetricWrapper(DecayAUC(), decay_step=STEPS)
    return MonitorCallback(
        {"auc": whole},
        predictions=lambda outputs: outputs["logits"].sigmoid(),
        model_dir=directory,
        log_step_count_steps=STEPS,
        **others,
    )


def trainer(model: nn.Module, directory: Path, *callbacks: Any, **others: Any) -> Trainer:
    settings = {
        "per_device_train_batch_size": ROWS,
        "per_device_eval_batch_size": 500,
        "gradient_accumulation_steps": 2,
        "num_train_epochs": 1,
        "logging_steps": 5,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
        "learning_rate": 0.1,
        "lr_scheduler_type": "constant",
        **others,
    }
    arguments = TrainingArguments(str(directory / "trainer"), **settings)
    return Trainer(
        model,
        arguments,
        train_dataset=rows(),
        eval_dataset=rows(2),
        callbacks=list(callbacks),
        compute_metrics=lambda found: {"rows": len(found.label_ids)},
    )


@pytest.mark.parametrize("kind", [Clicks, CountedLoss])
def test_a_step_is_one_of_the_optimizer_with_all_its_batches(
    tmp_path: Path, kind: type[Clicks]
) -> None:
    model, watched = kind(), callback(tmp_path / "run")
    trained = trainer(model, tmp_path, watched, eval_strategy="epoch")
    trained.train()
    assert watched.failures == 0
    (line,) = windows(tmp_path / "run")
    assert line["global_step"] == STEPS
    assert line["samples"] == 2 * ROWS * STEPS
    expected = roc_auc_score(torch.cat(model.labels), torch.cat(model.scores))
    assert line["window_metrics"]["auc"] == pytest.approx(expected, abs=1e-4)
    loss = sum(model.losses) / len(model.losses)
    assert line["losses"]["loss"] == pytest.approx(loss, rel=1e-5)
    logged = [entry["loss"] for entry in trained.state.log_history if "loss" in entry]
    assert line["losses"]["loss"] == pytest.approx(sum(logged) / len(logged), rel=1e-4)
    assert set(line["learning_rates"]) == {0.1}
    assert {"grad_norm"} <= set(line["scalars"])
    assert {"data", "forward", "backward", "optimizer"} <= set(line["phases"])
    (scores,) = evaluations(tmp_path / "run")
    assert scores["global_step"] == STEPS
    assert scores["rows"] == len(rows(2))
    assert scores["loss"] > 0
    assert not any("per_second" in name or "runtime" in name for name in scores)
    assert summary(tmp_path / "run")["status"] == "done"
    assert summary(tmp_path / "run")["total_steps"] == STEPS
    # The model is as it was.
    assert not model._forward_hooks


def test_a_resumed_training_goes_on_behind_its_checkpoint(tmp_path: Path) -> None:
    saves = {"save_strategy": "steps", "save_steps": 7}
    whole = Clicks()
    trainer(whole, tmp_path, callback(tmp_path / "run"), **saves).train()
    model = Clicks()
    again = trainer(model, tmp_path, callback(tmp_path / "run"), **saves)
    again.train(resume_from_checkpoint=str(tmp_path / "trainer" / "checkpoint-14"))
    (line,) = windows(tmp_path / "run")
    assert (line["global_step"], line["samples"]) == (STEPS, 2 * ROWS * STEPS)
    expected = whole.losses[:28] + model.losses
    assert line["losses"]["loss"] == pytest.approx(sum(expected) / 40, rel=1e-5)


def test_two_callbacks_of_one_directory_are_refused_before_training(tmp_path: Path) -> None:
    model = Clicks()
    two = callback(tmp_path / "run"), callback(tmp_path / "run")
    with pytest.raises(UserError, match="two MonitorCallbacks"):
        trainer(model, tmp_path, *two).train()
    assert model.losses == []


def test_what_a_training_left_open_that_broke_gives_way_to_the_next(tmp_path: Path) -> None:
    class Breaks(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            if state.global_step == 5:
                raise RuntimeError("it broke")

    with pytest.raises(RuntimeError, match="it broke"):
        trainer(Clicks(), tmp_path, callback(tmp_path / "run"), Breaks()).train()
    model = Clicks()
    trainer(model, tmp_path, callback(tmp_path / "run", first_step=0)).train()
    (line,) = windows(tmp_path / "run")
    assert line["losses"]["loss"] == pytest.approx(sum(model.losses) / 40, rel=1e-5)


def test_without_a_loss_of_the_model_the_one_that_is_logged_is_a_scalar(tmp_path: Path) -> None:
    class Logits(Clicks):
        def forward(self, x: Tensor, labels: Any = None) -> dict[str, Tensor]:
            return {"logits": self.net(x).squeeze(1)}

    watched = callback(tmp_path / "run")
    trained = trainer(Logits(), tmp_path, watched)
    trained.compute_loss_func = lambda outputs, labels, **_: binary_cross_entropy_with_logits(
        outputs["logits"], labels
    )
    trained.train()
    (line,) = windows(tmp_path / "run")
    assert line["global_step"] == STEPS
    assert line["losses"] == {}
    assert line["scalars"]["loss"] > 0
    # It is said why there is no AUC.
    assert watched.failures > 0
