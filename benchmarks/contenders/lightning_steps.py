"""Steps that Lightning runs and logs, with and without an AUC of torchmetrics."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import lightning
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torchmetrics.classification import BinaryAUROC

from benchmarks.contenders.clicks import Clicks, Times, batches
from benchmarks.contenders.watched_steps import WINDOW


class _LightningClicks(lightning.LightningModule):
    def __init__(self, times: Times, auc: bool) -> None:
        super().__init__()
        self.model = Clicks()
        self.auc = BinaryAUROC(thresholds=200) if auc else None
        self._times = times
        self._last: float | None = None

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        now = time.perf_counter()
        if self._last is not None:
            self._times.append(now - self._last)
        self._last = now
        rows, clicks = batch
        logits = self.model(rows)
        predictions = logits.detach().sigmoid()
        loss = binary_cross_entropy_with_logits(logits, clicks)
        self.log("loss/total", loss)
        self.log("lr/g0", 1e-3)
        if self.auc is not None:
            self.auc.update(predictions, clicks.long())
            if (index + 1) % WINDOW == 0:
                self.log("metric/auc", self.auc.compute())
                self.auc.reset()
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 1e-3)


def lightning_steps(steps: int, auc: bool, directory: Path) -> Times:
    """Returns the seconds of steps.

    Args:
        steps: Number of steps.
        auc: Whether an AUC is computed and logged.
        directory: Directory of the logger.
    """
    from lightning.pytorch.loggers import TensorBoardLogger

    times: Times = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_steps=steps + 1,
            logger=TensorBoardLogger(str(directory)),
            log_every_n_steps=WINDOW,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(_LightningClicks(times, auc), _Loader(steps + 1))
    return times


class _Loader:
    def __init__(self, steps: int) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return batches(self._steps)
