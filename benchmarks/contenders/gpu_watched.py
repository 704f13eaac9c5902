"""Steps of about a millisecond on a GPU that raymon, torchmetrics and Lightning watch."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tensorboardX import SummaryWriter
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torchmetrics.classification import BinaryAUROC

from benchmarks.contenders.gpu_loop import settle
from benchmarks.contenders.gpu_task import WINDOW

ROWS, FEATURES = 4_096, 512
_RATE = 1e-3
_PROBE = 20
"""Steps from which the time of a step is known well enough to choose a model."""

Watch = Callable[[Tensor, Tensor, Tensor], None]
"""Takes the loss, the predictions and the clicks of a step."""


class GpuClicks(nn.Module):
    """An MLP with its optimizer.

    Args:
        device: Device of the model.
        layers: Number of hidden layers.
    """

    def __init__(self, device: torch.device, layers: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        hidden = [part for _ in range(layers) for part in (_square(), nn.ReLU())]
        self.layers = nn.Sequential(*hidden, nn.Linear(FEATURES, 1)).to(device)
        self.optimizer = torch.optim.Adam(self.parameters(), _RATE, fused=True)

    def forward(self, rows: Tensor) -> Tensor:
        """Returns the logits `[B]` of rows `[B, FEATURES]`."""
        logits: Tensor = self.layers(rows).squeeze(1)
        return logits

    def step(self, rows: Tensor, clicks: Tensor) -> tuple[Tensor, Tensor]:
        """Trains on a batch; returns the loss and the predictions."""
        logits = self(rows)
        loss = binary_cross_entropy_with_logits(logits, clicks)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss, logits.detach().sigmoid()


def layers_of(seconds: float, device: torch.device) -> int:
    """Returns the least number of hidden layers with which a step takes so many seconds."""
    enough = 1
    while _probe(enough, device) < seconds:
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if _probe(middle, device) < seconds:
            too_few = middle
        else:
            enough = middle
    return enough


def contenders(
    steps: int, layers: int, device: torch.device
) -> Mapping[str, Callable[[Path], float]]:
    """Returns functions that take a new directory and return the seconds of a step, by name."""
    found: dict[str, Callable[[Path], float]] = {
        "raymon": partial(_by_raymon, steps, layers, device),
        "torchmetrics AUROC, 200 thresholds": partial(_by_torchmetrics, steps, layers, device),
    }
    if importlib.util.find_spec("lightning") is not None:
        for name, auc in (("Lightning", False), ("Lightning with torchmetrics AUROC", True)):
            found[name] = partial(_by_lightning, steps, layers, device, auc)
    return found


def bare(steps: int, layers: int, device: torch.device) -> float:
    """Returns the seconds of a step that nothing watches."""
    return _timed(steps, layers, device, lambda loss, predictions, clicks: None)


def _square() -> nn.Linear:
    return nn.Linear(FEATURES, FEATURES)


def _probe(layers: int, device: torch.device) -> float:
    return bare(_PROBE, layers, device)


def _batches(device: torch.device) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    made = []
    for _ in range(8):
        rows = torch.randn(ROWS, FEATURES, generator=generator)
        clicks = (torch.rand(ROWS, generator=generator) < torch.sigmoid(rows[:, 0] - 3)).float()
        made.append((rows.to(device), clicks.to(device)))
    return made


def _timed(steps: int, layers: int, device: torch.device, watch: Watch) -> float:
    """Returns the mean of the seconds of a step, after as many as warm a device up."""
    model, batches = GpuClicks(device, layers), _batches(device)
    began = 0.0
    for number in range(_PROBE + steps):
        if number == _PROBE:
            settle(device)
            began = time.perf_counter()
        rows, clicks = batches[number % len(batches)]
        loss, predictions = model.step(rows, clicks)
        watch(loss, predictions, clicks)
    settle(device)
    return (time.perf_counter() - began) / steps


def _by_raymon(steps: int, layers: int, device: torch.device, directory: Path) -> float:
    import raymon

    with raymon.Monitor(
        train_metrics=["auc"], model_dir=directory, log_step_count_steps=WINDOW
    ) as monitor:

        def watch(loss: Tensor, predictions: Tensor, clicks: Tensor) -> None:
            monitor.step({"loss": loss}, predictions, clicks, learning_rates=(_RATE,))

        return _timed(steps, layers, device, watch)


def _by_torchmetrics(steps: int, layers: int, device: torch.device, directory: Path) -> float:
    auc, writer = BinaryAUROC(thresholds=200).to(device), SummaryWriter(str(directory))
    count = 0

    def watch(loss: Tensor, predictions: Tensor, clicks: Tensor) -> None:
        nonlocal count
        auc.update(predictions, clicks.long())
        count += 1
        if count % WINDOW == 0:
            writer.add_scalar("loss/total", loss.item(), count)
            writer.add_scalar("lr/g0", _RATE, count)
            writer.add_scalar("metric/auc", auc.compute().item(), count)
            auc.reset()

    seconds = _timed(steps, layers, device, watch)
    writer.close()
    return seconds


def _by_lightning(
    steps: int, layers: int, device: torch.device, with_auc: bool, directory: Path
) -> float:
    import lightning
    from lightning.pytorch.loggers import TensorBoardLogger

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = GpuClicks(device, layers)
            self.auc = BinaryAUROC(thresholds=200) if with_auc else None
            self.seconds = self.began = 0.0

        def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
            if index == _PROBE:
                settle(device)
                self.began = time.perf_counter()
            rows, clicks = batch
            logits = self.model(rows)
            loss = binary_cross_entropy_with_logits(logits, clicks)
            self.log("loss/total", loss)
            self.log("lr/g0", _RATE)
            if self.auc is not None:
                self.auc.update(logits.detach().sigmoid(), clicks.long())
                if (index + 1) % WINDOW == 0:
                    self.log("metric/auc", self.auc.compute())
                    self.auc.reset()
            return loss

        def on_train_end(self) -> None:
            settle(device)
            self.seconds = time.perf_counter() - self.began

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), _RATE, fused=True)

    class Loader:
        def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
            batches = _batches(device)
            return (batches[number % len(batches)] for number in range(_PROBE + steps))

    module: Any = Module()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=1,
            max_steps=_PROBE + steps,
            logger=TensorBoardLogger(str(directory)),
            log_every_n_steps=WINDOW,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, Loader())
    seconds: float = module.seconds / steps
    return seconds
