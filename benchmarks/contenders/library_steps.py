"""Steps that Lightning, Transformers, Accelerate and Keras run, bare and with raymon's callbacks.

Each library trains the same model on the same batches, with its own logging, checkpoints and
progress bars switched off, and a loader that costs nothing. Beside it the callback measures the
loss, the learning rate and the AUC of all predictions, into JSON lines and TensorBoard every 100
steps.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import IterableDataset

from benchmarks.contenders.clicks import Clicks, Times, batches

os.environ.setdefault("KERAS_BACKEND", "torch")
RATE = 1e-3


class _Rows(IterableDataset[Any]):
    """Batches as a loader of torch has them, and the time between them.

    Args:
        steps: Number of batches.
        form: What becomes of a batch.

    Attributes:
        times: Seconds from each batch to the next one.
    """

    def __init__(self, steps: int, form: Callable[[Tensor, Tensor], Any]) -> None:
        self._steps, self._form = steps, form
        self.times: Times = []

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[Any]:
        made = [self._form(*batch) for batch in batches(20)]
        last = None
        for step in range(self._steps):
            now = time.perf_counter()
            if last is not None:
                self.times.append(now - last)
            last = now
            yield made[step % len(made)]


class _WithLoss(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = Clicks()

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.model(x)
        loss = binary_cross_entropy_with_logits(logits, labels)
        return {"loss": loss, "predictions": logits.detach().sigmoid()}


def lightning_steps(steps: int, directory: Path | None) -> Times:
    """Returns the seconds of steps of Lightning; with a directory the callback is there."""
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = _WithLoss()

        def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, Tensor]:
            return {**self.model(*batch), "targets": batch[1]}

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), RATE)

    watched: list[Any] = []
    if directory is not None:
        from raymon.integrations.lightning import MonitorCallback

        watched.append(MonitorCallback(["auc"], model_dir=directory))
    rows = _Rows(steps + 1, lambda x, y: (x, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=watched,
        )
        trainer.fit(Module(), torch.utils.data.DataLoader(rows, batch_size=None))
    return rows.times


def transformers_steps(steps: int, directory: Path | None) -> Times:
    """Returns the seconds of steps of Transformers; with a directory the callback is there."""
    from transformers import Trainer, TrainingArguments

    rows = _Rows(steps + 1, lambda x, y: {"x": x, "labels": y})

    watched: list[Any] = []
    if directory is not None:
        from raymon.integrations.transformers import MonitorCallback

        watched.append(
            MonitorCallback(["auc"], predictions="predictions", model_dir=directory / "run")
        )
    settings = TrainingArguments(
        str(directory or "."),
        max_steps=steps + 1,
        learning_rate=RATE,
        logging_strategy="no",
        save_strategy="no",
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
    )
    trainer = Trainer(_WithLoss(), settings, train_dataset=rows, callbacks=watched)
    trainer.get_train_dataloader = lambda: rows
    trainer.train()
    return rows.times


def accelerate_steps(steps: int, directory: Path | None) -> Times:
    """Returns the seconds of steps of Accelerate; with a directory the tracker is there."""
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    if directory is not None:
        from raymon.integrations.accelerate import MonitorTracker

        MonitorTracker(["auc"], model_dir=directory).attach(accelerator)
    made = _WithLoss()
    model, optimizer = accelerator.prepare(made, torch.optim.Adam(made.parameters(), RATE))
    rows = _Rows(steps + 1, lambda x, y: (x, y))
    for x, y in rows:
        outputs = model(x, y)
        optimizer.zero_grad()
        accelerator.backward(outputs["loss"])
        optimizer.step()
        step = {"predictions": outputs["predictions"], "targets": y, "learning_rates": [RATE]}
        accelerator.log({"loss": outputs["loss"].detach()}, log_kwargs={"raymon": step})
    accelerator.end_training()
    return rows.times


def keras_steps(steps: int, directory: Path | None) -> Times:
    """Returns the seconds of steps of Keras; with a directory the callback is there."""
    import keras

    watched: list[Any] = []
    if directory is not None:
        from raymon.integrations.keras import MonitorCallback

        watched.append(MonitorCallback(["auc"], model_dir=directory))
    layers = [keras.layers.Dense(96, "relu"), keras.layers.Dense(32, "relu")]
    ends = [keras.layers.Input((64,)), *layers, keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential(ends)
    model.compile(keras.optimizers.Adam(RATE), "binary_crossentropy")
    rows = _Rows(steps + 1, lambda x, y: (x, y))
    model.fit(torch.utils.data.DataLoader(rows, batch_size=None), verbose=0, callbacks=watched)
    return rows.times


LIBRARIES: dict[str, Callable[[int, Path | None], Times]] = {
    "Lightning": lightning_steps,
    "Transformers": transformers_steps,
    "Accelerate": accelerate_steps,
    "Keras": keras_steps,
}
