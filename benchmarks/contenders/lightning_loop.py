"""A training loop of Lightning in processes of its own, as in its documentation.

`Trainer` with `strategy="ddp"` on 2 processes of the CPU, a `DataLoader` over an `IterableDataset`
that divides the files among ranks and loader processes and reads them with pyarrow, an AUC of
torchmetrics that is updated in each step, and `self.log` into a `TensorBoardLogger` every 100
steps, where the ranks synchronise the AUC. Checkpoints and the progress bar are Lightning's
defaults.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from torchmetrics.classification import BinaryAUROC

from benchmarks.contenders.click_task import (
    BATCH,
    COLUMNS,
    RATE,
    WINDOW,
    WORKERS,
    Trained,
    batch_of,
    build,
    convert,
    features,
    loss_of,
    note_rank,
    trained,
)
from benchmarks.inputs.criteo_like import LABEL

LOADER_PROCESSES = 1
"""Number of loader processes of each rank."""


def lightning_loop(data: Path, directory: Path) -> Trained:
    """Runs the loop once."""
    directory.mkdir()
    command = [sys.executable, "-m", "benchmarks.contenders.lightning_loop"]
    subprocess.run(
        [*command, str(data), str(directory)], capture_output=True, check=True, timeout=600
    )
    return trained(directory, json.loads((directory / "wall.json").read_text()))


class Rows(IterableDataset[dict[str, Tensor]]):
    """The rows of a rank, batch by batch.

    Args:
        files: Files of all ranks.
        rank: Number of this rank.
    """

    def __init__(self, files: list[Path], rank: int) -> None:
        self._files = files
        self._rank = rank

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        worker, made = get_worker_info(), features()
        assert worker is not None
        place = self._rank * worker.num_workers + worker.id
        for file in self._files[place :: WORKERS * worker.num_workers]:
            for rows in pq.ParquetFile(file).iter_batches(BATCH, columns=list(COLUMNS)):
                columns = convert(pa.Table.from_batches([rows]), made)
                yield {name: torch.from_numpy(column) for name, column in columns.items()}


class _ClickModule(lightning.LightningModule):
    def __init__(self, data: Path, directory: Path) -> None:
        super().__init__()
        self.model = build()
        self.auc = BinaryAUROC(thresholds=200)
        self._data, self._directory = data, directory
        self._samples, self._began, self._ended, self._loss = 0, 0.0, 0.0, torch.tensor(0.0)

    def train_dataloader(self) -> DataLoader[Any]:
        # The time begins here: the model is wrapped, and nothing has been read.
        self._began = time.perf_counter()
        rows = Rows(sorted(self._data.glob("*.parquet")), self.global_rank)
        return DataLoader(rows, batch_size=None, num_workers=LOADER_PROCESSES)

    def training_step(self, tensors: dict[str, Tensor], index: int) -> Tensor:
        batch = batch_of(tensors)
        predictions = self.model(batch)
        loss = loss_of(predictions, batch)
        self.auc.update(predictions["probs"].detach(), batch.labels[LABEL].int())
        self.log("loss", loss)
        self.log("learning_rate", RATE)
        if (index + 1) % WINDOW == 0:
            self.log("auc", self.auc.compute())
            self.auc.reset()
        self._samples += batch.size
        self._loss = loss.detach()
        return loss

    def on_train_batch_end(self, *arguments: Any) -> None:
        self._ended = time.perf_counter()

    def on_train_end(self) -> None:
        seconds = self._ended - self._began
        note_rank(self._directory, self.global_rank, self._samples, seconds, self._loss.item())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), RATE, fused=True)


def main() -> None:
    """Runs the loop in this process; its arguments are the directories of data and output."""
    data, directory = map(Path, sys.argv[1:])
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=WORKERS,
        strategy="ddp",
        max_epochs=1,
        logger=TensorBoardLogger(str(directory)),
        log_every_n_steps=WINDOW,
        default_root_dir=str(directory),
    )
    began = time.perf_counter()
    trainer.fit(_ClickModule(data, directory))
    if trainer.is_global_zero:
        (directory / "wall.json").write_text(json.dumps(time.perf_counter() - began))


if __name__ == "__main__":
    main()
