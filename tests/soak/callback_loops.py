"""A training of another library that torchrun starts: `... callback_loops.py OPTIONS`, as JSON.

Each rank keeps all its scores and labels, in a file at the end; one may be killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset

from raymon.metrics import DecayAUC, TrainMetricWrapper

os.environ["KERAS_BACKEND"] = "torch"
OPTIONS: dict[str, Any] = json.loads(sys.argv[1])
DIRECTORY, STEPS = Path(OPTIONS["directory"]), OPTIONS["steps"]
RANK, RANKS = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
ROWS = 64
ARGUMENTS: dict[str, Any] = {
    "train_metrics": {"auc": TrainMetricWrapper(DecayAUC(), 0.9, STEPS)},
    "model_dir": DIRECTORY / "run",
    "log_step_count_steps": OPTIONS["window"],
    "use_tensorboard": False,
}


class Kept:
    """The scores and labels of this rank."""

    def __init__(self) -> None:
        self.scores: list[Any] = []
        self.labels: list[Any] = []

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """Keeps those of a batch; the rank that has to dies after so many."""
        self.scores.append(scores.detach().numpy().copy())
        self.labels.append(labels.numpy().copy())
        mark = DIRECTORY / "has died"
        if OPTIONS.get("dies") == [RANK, len(self.scores)] and not mark.exists():
            mark.write_text(str(os.getpid()))
            time.sleep(1.5)  # what was measured before is durable
            os.kill(os.getpid(), signal.SIGKILL)

    def save(self, failures: int) -> None:
        """Writes them."""
        scores, labels = np.concatenate(self.scores), np.concatenate(self.labels)
        np.savez(DIRECTORY / f"scores-{RANK}.npz", scores=scores, labels=labels)
        (DIRECTORY / f"failures-{RANK}").write_text(str(failures))


def rows(seed: int, count: int) -> TensorDataset:
    """Features and labels."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 8, generator=generator)
    return TensorDataset(x, torch.bernoulli(torch.sigmoid(3 * x.mean(1)), generator=generator))


class Clicks(nn.Module):
    """A model that returns its loss, as those of Transformers do."""

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Linear(8, 1)
        self.kept = kept

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Returns loss and scores."""
        logits = self.net(x).squeeze(1)
        if self.training:
            self.kept.add(logits.sigmoid(), labels)
        return {
            "loss": binary_cross_entropy_with_logits(logits, labels),
            "predictions": logits.sigmoid(),
            "targets": labels,
        }


def with_lightning(kept: Kept) -> int:
    """Trains by a `Trainer` of Lightning, from its last checkpoint if there is one."""
    import lightning
    from lightning.pytorch.callbacks import ModelCheckpoint

    from raymon.integrations.lightning import MonitorCallback

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = Clicks(kept)

        def training_step(self, batch: Any, index: int) -> Any:
            self.log("rank", float(RANK))
            return self.model(*batch)

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("val_loss", self.model(*batch)["loss"], sync_dist=True)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    watched = MonitorCallback(**ARGUMENTS)
    saves = ModelCheckpoint(DIRECTORY, every_n_train_steps=20, save_last=True, save_top_k=1)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=RANKS,
        strategy="ddp",
        max_steps=STEPS,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        callbacks=[watched, saves],
    )
    last = DIRECTORY / "last.ckpt"
    trainer.fit(
        Module(),
        DataLoader(rows(RANK, ROWS * STEPS), ROWS),
        DataLoader(rows(7, 100), 100),
        ckpt_path=str(last) if last.exists() else None,
        weights_only=False,
    )
    return watched.failures


def with_transformers(kept: Kept) -> int:
    """Trains by the `Trainer` of Transformers, with two batches to a step."""
    from transformers import Trainer, TrainingArguments

    from raymon.integrations.transformers import MonitorCallback

    watched = MonitorCallback(**ARGUMENTS, predictions="predictions")
    settings = TrainingArguments(
        str(DIRECTORY / "trainer"),
        per_device_train_batch_size=ROWS // 2,
        gradient_accumulation_steps=2,
        max_steps=STEPS,
        eval_strategy="steps",
        eval_steps=STEPS,
        logging_steps=5,
        learning_rate=0.1,
        lr_scheduler_type="constant",
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
    )
    data = [{"x": x, "labels": y} for x, y in rows(0, RANKS * ROWS * STEPS)]
    Trainer(
        Clicks(kept), settings, train_dataset=data, eval_dataset=data[:100], callbacks=[watched]
    ).train()
    return watched.failures


def with_accelerate(kept: Kept) -> int:
    """Trains in a loop of Accelerate."""
    from accelerate import Accelerator

    from raymon.integrations.accelerate import MonitorTracker

    accelerator = Accelerator(cpu=True)
    watched = MonitorTracker(**ARGUMENTS).attach(accelerator)
    model = Clicks(kept)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    data = DataLoader(rows(0, RANKS * ROWS * STEPS), ROWS)
    wrapped, optimizer, loader = accelerator.prepare(model, optimizer, data)
    for x, y in loader:
        outputs = wrapped(x, y)
        accelerator.backward(outputs["loss"])
        optimizer.step()
        optimizer.zero_grad()
        step = {"predictions": outputs["predictions"], "targets": y}
        values = {"loss": outputs["loss"].detach(), "rank": RANK}
        accelerator.log(values, log_kwargs={"raymon": step})
    scores = {"val_loss": 0.5}
    accelerator.log(scores, log_kwargs={"raymon": {"evaluation": True}})
    accelerator.end_training()
    return watched.failures


def with_keras(kept: Kept) -> int:
    """Trains by `model.fit`, on each rank a model of its own."""
    import keras
    import torch.distributed as dist

    from raymon.integrations.keras import MonitorCallback

    class Keeping(keras.Sequential):
        def compute_loss(
            self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True
        ) -> Any:
            loss = super().compute_loss(x, y, y_pred, sample_weight, training=training)
            if training and self.training and y_pred.device.type == "cpu":
                kept.add(y_pred.squeeze(1), y.reshape(-1))
            return loss

    dist.init_process_group("gloo")
    keras.utils.set_random_seed(0)
    model = Keeping([keras.layers.Input((8,)), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    x, y = (tensor.numpy() for tensor in rows(RANK, ROWS * STEPS).tensors)
    watched = MonitorCallback(**ARGUMENTS)
    model.fit(x, y, ROWS, verbose=0, validation_data=(x[:100], y[:100]), callbacks=[watched])
    dist.barrier()
    dist.destroy_process_group()
    return watched.failures


if __name__ == "__main__":
    torch.set_num_threads(1)
    all_kept = Kept()
    train = globals()[f"with_{OPTIONS['library']}"]
    all_kept.save(train(all_kept))
