"""The callback for Lightning, in this process."""

from __future__ import annotations

import runpy
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MeanAbsoluteError
from torchmetrics.classification import BinaryAUROC

import raymon
from raymon.errors import UserError
from raymon.integrations.lightning import MonitorCallback
from raymon.metrics import DecayAUC, TrainMetricWrapper
from tests.integrations.lines import evaluations, summary, windows

ROWS, STEPS = 50, 20


class Clicks(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(8, 1)
        self.losses: list[float] = []
        self.scores: list[Tensor] = []
        self.labels: list[Tensor] = []

    def training_step(self, batch: Any, index: int) -> Any:
        x, y = batch
        logits = self.net(x).squeeze(1)
        loss = binary_cross_entropy_with_logits(logits, y)
        self.losses.append(loss.item())
        self.scores.append(logits.detach().sigmoid())
        self.labels.append(y)
        self.log("batch_mean", x.mean())
        if index == 3:
            self.log("once", 7.0)
        return {"loss": loss, "predictions": logits.sigmoid(), "targets": y, "half": loss / 2}

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", binary_cross_entropy_with_logits(self.net(batch[0])[:, 0], batch[1]))

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]


class Adversaries(Clicks):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Any, index: int) -> Any:
        outputs = super().training_step(batch, index)
        first, second = self.optimizers()
        for optimizer in (first, second):
            optimizer.zero_grad()
        self.manual_backward(outputs["loss"])
        first.step()
        second.step()
        return outputs

    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(self.parameters(), lr) for lr in (0.1, 0.2)]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def data() -> DataLoader[Any]:
    torch.manual_seed(0)
    x = torch.randn(ROWS * STEPS, 8)
    return DataLoader(TensorDataset(x, torch.bernoulli(torch.sigmoid(x.sum(1)))), ROWS)


def callback(directory: Path | None, **others: Any) -> MonitorCallback:
    whole = TrainMetricWrapper(DecayAUC(), decay_step=STEPS)
    return MonitorCallback(
        {"auc": whole}, model_dir=directory, log_step_count_steps=STEPS, **others
    )


def trainer(*callbacks: Any, **others: Any) -> lightning.Trainer:
    quiet = dict.fromkeys(
        ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False
    )
    given = {**quiet, "accelerator": "cpu", "max_epochs": 1, **others}
    return lightning.Trainer(callbacks=list(callbacks), **given)


def test_its_numbers_are_those_of_all_batches_whatever_the_optimizer_does(tmp_path: Path) -> None:
    model = Clicks()
    watched = callback(tmp_path)
    trainer(watched, accumulate_grad_batches=3, max_epochs=2).fit(model, data(), data())
    assert watched.failures == 0
    found = windows(tmp_path)
    assert [line["global_step"] for line in found] == [STEPS, 2 * STEPS]
    for i, line in enumerate(found):
        part = slice(i * STEPS, (i + 1) * STEPS)
        labels, scores = torch.cat(model.labels[part]), torch.cat(model.scores[part])
        expected = roc_auc_score(labels, scores)
        assert line["window_metrics"]["auc"] == pytest.approx(expected, abs=1e-4)
        loss = sum(model.losses[part]) / STEPS
        assert line["losses"] == pytest.approx({"loss": loss, "total_loss": loss}, rel=1e-5)
        assert line["samples"] == ROWS * STEPS
        assert line["learning_rates"] == [0.1 * 0.5**i]
        assert line["epoch"] == i
        assert line["scalars"]["half"] == pytest.approx(loss / 2, rel=1e-5)
        assert line["scalars"]["once"] == 7
        assert set(line["scalars"]) == {"half", "once", "batch_mean"}
        assert {"data", "forward", "backward", "optimizer"} <= set(line["phases"])
    # The sanity check is no evaluation.
    scores_found = evaluations(tmp_path)
    assert [line["global_step"] for line in scores_found] == [STEPS, 2 * STEPS]
    assert all(set(line) >= {"val_loss"} for line in scores_found)
    assert "once" not in scores_found[0]
    assert summary(tmp_path)["status"] == "done"
    assert summary(tmp_path)["total_steps"] == 2 * STEPS


class Scored(Clicks):
    """A module with metrics of its own: one that is called, and one that is updated."""

    def __init__(self) -> None:
        super().__init__()
        self.train_auc = BinaryAUROC(thresholds=50)
        self.parts = nn.ModuleDict({"mae": MeanAbsoluteError()})

    def training_step(self, batch: Any, index: int) -> Any:
        outputs = super().training_step(batch, index)
        self.log("own_auc", self.train_auc(outputs["predictions"], outputs["targets"].long()))
        half = ROWS // 2
        for rows in (slice(None, half), slice(half, None)):
            self.parts.mae.update(outputs["predictions"][rows], target=outputs["targets"][rows])
        return outputs

    def validation_step(self, batch: Any, index: int) -> None:
        self.train_auc.update(torch.zeros(2), torch.tensor([0, 1]))


def test_metrics_of_the_module_are_counted_by_name_and_stay_its_own(tmp_path: Path) -> None:
    def own(watched: Any) -> tuple[Scored, float, float]:
        model = Scored()
        torch.manual_seed(1)
        model.net.reset_parameters()
        trainer(*watched).fit(model, data(), data())
        return model, model.train_auc.compute().item(), model.parts.mae.compute().item()

    watched = callback(tmp_path, module_metrics=["train_auc", "parts.mae"], total_steps=STEPS)
    model, auc, mae = own([watched])
    assert (auc, mae) == own([])[1:]
    assert watched.failures == 0
    (line,) = windows(tmp_path)
    labels, scores = torch.cat(model.labels), torch.cat(model.scores)
    found = line["window_metrics"]
    assert set(found) == {"auc", "train_auc", "parts.mae"}
    expected = roc_auc_score(labels, scores)
    assert found["train_auc"] == pytest.approx(expected, abs=1e-4)
    assert found["auc"] == pytest.approx(expected, abs=1e-4)
    assert found["parts.mae"] == pytest.approx(mae, rel=1e-5)
    assert not vars(model.train_auc)["_forward_pre_hooks"]


def test_a_metric_that_the_module_does_not_have_is_refused_before_training() -> None:
    model = Clicks()
    with pytest.raises(UserError, match=r"Clicks.train_auc is no metric"):
        trainer(MonitorCallback(module_metrics=["train_auc"])).fit(model, data())
    assert model.losses == []


def test_a_step_is_a_batch_with_several_optimizers_too(tmp_path: Path) -> None:
    model = Adversaries()
    trainer(callback(tmp_path)).fit(model, data())
    (line,) = windows(tmp_path)
    assert line["global_step"] == STEPS
    assert line["losses"]["loss"] == pytest.approx(sum(model.losses) / STEPS, rel=1e-5)
    assert line["learning_rates"] == [0.1, 0.2]


def test_a_resumed_training_goes_on_behind_its_checkpoint(tmp_path: Path) -> None:
    saves = lightning.pytorch.callbacks.ModelCheckpoint(
        tmp_path, every_n_train_steps=7, save_top_k=-1, filename="{step}"
    )
    whole = Clicks()
    trainer(callback(tmp_path / "run"), saves, enable_checkpointing=True).fit(whole, data())
    (before,) = windows(tmp_path / "run")
    model = Clicks()
    again = trainer(callback(tmp_path / "run"))
    again.fit(model, data(), ckpt_path=str(tmp_path / "step=14.ckpt"))
    assert len(model.losses) == STEPS - 14
    (line,) = windows(tmp_path / "run")
    assert line["global_step"] == STEPS
    # What was measured past the checkpoint is taken back, and all before it kept.
    expected = whole.losses[:14] + model.losses
    assert line["losses"]["loss"] == pytest.approx(sum(expected) / STEPS, rel=1e-5)
    assert line["samples"] == before["samples"] == ROWS * STEPS


def test_a_new_training_does_not_take_back_the_numbers_of_another(tmp_path: Path) -> None:
    trainer(callback(tmp_path)).fit(Clicks(), data())
    model = Clicks()
    with pytest.raises(UserError, match="first_step"):
        trainer(callback(tmp_path)).fit(model, data())
    assert model.losses == []


def test_a_second_fit_of_the_same_callback_is_one_more_run_of_the_same_numbers(
    tmp_path: Path,
) -> None:
    watched = callback(tmp_path)
    first = trainer(watched)
    first.fit(Clicks(), data())
    first.fit_loop.max_epochs = 2
    first.fit(Clicks(), data())
    assert [line["global_step"] for line in windows(tmp_path)] == [STEPS, 2 * STEPS]


def test_two_callbacks_of_one_directory_are_refused_before_training(tmp_path: Path) -> None:
    model = Clicks()
    with pytest.raises(UserError, match="two MonitorCallbacks") as raised:
        trainer(callback(tmp_path), callback(tmp_path)).fit(model, data())
    assert "\n" not in str(raised.value)
    assert model.losses == []
    named = callback(tmp_path, name="first"), callback(tmp_path, name="second")
    trainer(*named).fit(model, data())
    assert windows(tmp_path / "first")[0]["losses"] == windows(tmp_path / "second")[0]["losses"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("it broke"), "failed"), (KeyboardInterrupt(), "interrupted")],
)
def test_what_ends_training_early_ends_its_files(
    tmp_path: Path, error: BaseException, status: str
) -> None:
    class Breaks(lightning.Callback):
        def on_train_batch_end(self, *arguments: Any) -> None:
            if arguments[-1] == 4:
                raise error

    with pytest.raises((RuntimeError, SystemExit)):
        trainer(callback(tmp_path), Breaks()).fit(Clicks(), data())
    assert summary(tmp_path)["status"] == status
    assert [line["global_step"] for line in windows(tmp_path)] == [5]
    if status == "failed":
        assert "it broke" in summary(tmp_path)["error"]


def test_a_fast_run_for_developers_leaves_no_files(tmp_path: Path) -> None:
    trainer(callback(tmp_path / "run"), fast_dev_run=3).fit(Clicks(), data(), data())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "outputs",
    [
        {"loss": torch.zeros((), requires_grad=True), "predictions": object(), "targets": "many"},
        torch.zeros((), requires_grad=True),
        None,
    ],
)
def test_whatever_a_step_returns_it_is_a_step_and_training_goes_on(
    tmp_path: Path, outputs: Any
) -> None:
    model = Clicks()
    model.training_step = lambda batch, batch_idx: outputs
    watched = callback(tmp_path)
    trainer(watched).fit(model, data())
    (line,) = windows(tmp_path)
    assert line["global_step"] == STEPS
    assert (watched.failures > 0) == isinstance(outputs, dict)


def test_the_example_runs_from_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Path(raymon.__file__).parent / "examples" / "loops" / "with_lightning.py"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), "run"])
    runpy.run_path(str(script), run_name="__main__")
    assert windows(tmp_path / "run")[-1]["metrics"]["auc"] > 0.6
    assert "mean_logit" in windows(tmp_path / "run")[-1]["scalars"]
    assert [line["global_step"] for line in evaluations(tmp_path / "run")] == [100, 200]
    assert summary(tmp_path / "run")["status"] == "done"


def test_its_arguments_are_checked() -> None:
    with pytest.raises(UserError, match="no argument optimiser"):
        MonitorCallback(optimiser=None)
    with pytest.raises(UserError, match="5 is no name"):
        MonitorCallback(predictions=5)
