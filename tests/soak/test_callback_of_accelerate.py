"""The tracker for Accelerate, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from raymon.errors import UserError
from raymon.integrations.accelerate import MonitorTracker
from raymon.metrics import DecayAUC, TrainMetricWrapper
from tests.integrations.lines import evaluations, summary, windows

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

ROWS, STEPS = 50, 20


def tracker(directory: Path) -> MonitorTracker:
    whole = TrainMetricWrapper(DecayAUC(), decay_step=STEPS)
    return MonitorTracker({"auc": whole}, model_dir=directory, log_step_count_steps=STEPS)


def test_what_is_logged_is_measured(tmp_path: Path) -> None:
    watched = tracker(tmp_path)
    accelerator = Accelerator(cpu=True)
    assert watched.attach(accelerator) is watched
    model = accelerator.prepare(nn.Linear(8, 1))
    losses, scores, labels = [], [], []
    for step in range(STEPS):
        x = torch.randn(ROWS, 8)
        y = torch.bernoulli(torch.sigmoid(x.sum(1)))
        logits = model(x).squeeze(1)
        loss = binary_cross_entropy_with_logits(logits, y)
        accelerator.backward(loss)
        losses.append(loss.item())
        scores.append(logits.detach().sigmoid())
        labels.append(y)
        accelerator.log(
            {"loss": loss.detach(), "step": step, "note": "text"},
            step=step,
            log_kwargs={"raymon": {"predictions": scores[-1], "targets": y}},
        )
    accelerator.log({"val_loss": 0.25}, log_kwargs={"raymon": {"evaluation": True}})
    monitor = accelerator.get_tracker("raymon", unwrap=True)
    assert monitor is watched.monitor
    accelerator.save_state(str(tmp_path / "state"))
    accelerator.end_training()
    assert watched.failures == 0
    (line,) = windows(tmp_path)
    assert line["global_step"] == STEPS
    assert line["samples"] == ROWS * STEPS
    assert line["losses"]["loss"] == pytest.approx(sum(losses) / STEPS, rel=1e-5)
    expected = roc_auc_score(torch.cat(labels), torch.cat(scores))
    assert line["window_metrics"]["auc"] == pytest.approx(expected, abs=1e-4)
    assert line["scalars"] == {"step": pytest.approx((STEPS - 1) / 2)}
    assert evaluations(tmp_path)[0]["val_loss"] == 0.25
    assert summary(tmp_path)["status"] == "done"


def test_two_trackers_of_one_directory_are_refused_before_training(tmp_path: Path) -> None:
    accelerator = Accelerator(cpu=True)
    tracker(tmp_path).attach(accelerator)
    with pytest.raises(UserError, match="two MonitorCallbacks"):
        tracker(tmp_path).attach(accelerator)
    accelerator.end_training()


def test_a_tracker_that_is_not_attached_is_refused_before_training(tmp_path: Path) -> None:
    accelerator = Accelerator(cpu=True, log_with=[tracker(tmp_path)])
    with pytest.raises(UserError, match="attach"):
        accelerator.init_trackers("clicks")
