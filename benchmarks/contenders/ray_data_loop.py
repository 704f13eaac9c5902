"""A loop of Ray Train with `ray.data` and torchmetrics, as in the guides of Ray.

`read_parquet` and `map_batches` make features on the CPUs that the workers leave free,
`get_dataset_shard` and `iter_torch_batches` bring them to the loop, and `prepare_model` wraps the
model. Loss and AUC are metrics of torchmetrics, updated in each step; at the end of a window they
are computed, for which the ranks synchronise, and passed to `ray.train.report`. The last report has
a checkpoint. All settings are Ray's defaults.
"""

from __future__ import annotations

import os
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import ray.data
import ray.train
import ray.train.torch
import torch
from ray.train import Checkpoint, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer
from torchmetrics import MeanMetric
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
from benchmarks.contenders.ray_defaults import ray_defaults
from benchmarks.inputs.criteo_like import LABEL


def ray_data_loop(data: Path, directory: Path) -> Trained:
    """Runs the loop once."""
    ray.data.DataContext.get_current().enable_progress_bars = False
    directory.mkdir()
    with ray_defaults():
        began = time.perf_counter()
        rows = ray.data.read_parquet(str(data), columns=list(COLUMNS))
        TorchTrainer(
            _train,
            train_loop_config={"directory": directory},
            scaling_config=ScalingConfig(num_workers=WORKERS),
            datasets={"train": rows.map_batches(_convert, batch_format="pyarrow")},
            run_config=RunConfig(name=directory.name, storage_path=str(directory.parent)),
        ).fit()
        return trained(directory, time.perf_counter() - began)


_features = cache(features)


def _convert(table: pa.Table) -> dict[str, np.ndarray]:
    return convert(table, _features())


def _train(config: dict[str, Any]) -> None:
    whole = build()
    model = ray.train.torch.prepare_model(whole)
    optimizer = torch.optim.Adam(model.parameters(), RATE, fused=True)
    auc, mean_loss = BinaryAUROC(thresholds=200), MeanMetric()
    shard = ray.train.get_dataset_shard("train")
    samples, loss = 0, torch.tensor(0.0)
    began = time.perf_counter()
    for step, tensors in enumerate(shard.iter_torch_batches(batch_size=BATCH), 1):
        batch = batch_of(tensors)
        predictions = model(batch)
        loss = loss_of(predictions, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        auc.update(predictions["probs"].detach(), batch.labels[LABEL].int())
        mean_loss.update(loss.detach())
        samples += batch.size
        if step % WINDOW == 0:
            ray.train.report({"loss": mean_loss.compute().item(), "auc": auc.compute().item()})
            auc.reset()
            mean_loss.reset()
    seconds = time.perf_counter() - began
    rank = ray.train.get_context().get_world_rank()
    note_rank(config["directory"], rank, samples, seconds, loss.item())
    last = {"loss": mean_loss.compute().item(), "auc": auc.compute().item()}
    with tempfile.TemporaryDirectory() as directory:
        checkpoint = None
        if rank == 0:
            state = {"model": whole.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state, os.path.join(directory, "state.pt"))
            checkpoint = Checkpoint.from_directory(directory)
        ray.train.report(last, checkpoint=checkpoint)
