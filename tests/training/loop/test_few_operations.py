"""A step takes few operations, and asks the device for nothing.

On a GPU an operation of a step is a kernel to launch, which takes longer than most of them run.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest
import torch
from google.protobuf import text_format

from raymon.data import Batch, IdList, JoinedIds
from raymon.models import Model, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import EmbeddingTables
from raymon.recorder import Recorder
from raymon.training.input.readers import features_of
from raymon.training.loop.build_model import build_worker_model
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.gradients import GradientSummaries
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.rank.worker_context import WorkerContext
from tests.operations import Operations
from tests.training.rank_process import RankRun

MOST = 200
TABLES, NUMBERS, BATCH, WINDOW = 26, 13, 64, 4
SPARSE = {
    "sgd": "sgd_optimizer { lr: 0.1 }",
    "adagrad": "adagrad_optimizer { lr: 0.1 }",
    "clipped": "adagrad_optimizer { lr: 0.1 gradient_clipping: true max_gradient: 0.1 }",
    "row-wise": "rowwise_adagrad_optimizer { lr: 0.1 }",
    "decayed": "rowwise_adagrad_optimizer { lr: 0.1 weight_decay: 0.1 weight_decay_mode: L2 }",
    "adam": "adam_optimizer { lr: 0.1 }",
    "partial": "partial_rowwise_adam_optimizer { lr: 0.1 }",
}
PRECISIONS = ["", 'mixed_precision: "BF16"', 'mixed_precision: "FP16"']
CLIPPED = 'grad_clipping { clipping_type: "norm" max_gradient: 1 }'


def config_of(sparse: str, rows: int = 50, more: str = "") -> PipelineConfig:
    """Returns the config of a DLRM with 26 tables, as those of Criteo's click log."""
    ids, numbers = [f"c{i}" for i in range(TABLES)], [f"i{i}" for i in range(NUMBERS)]
    features = "".join(
        f'feature_configs {{ id_feature {{ feature_name: "{n}" expression: "user:{n}" '
        f"embedding_dim: 16 num_buckets: {rows} }} }}"
        for n in ids
    ) + "".join(
        f'feature_configs {{ raw_feature {{ feature_name: "{n}" expression: "user:{n}" }} }}'
        for n in numbers
    )
    groups = "".join(
        f'feature_groups {{ group_name: "{name}" group_type: DEEP '
        + " ".join(f'feature_names: "{n}"' for n in names)
        + "}"
        for name, names in (("dense", numbers), ("sparse", ids))
    )
    text = f"""
      model_dir: "unused"
      train_config {{ sparse_optimizer {{ {sparse} }} dense_optimizer {{ adam_optimizer {{}} }}
        num_steps: 1 embedding_tables: REPLICATED {more} }}
      data_config {{ batch_size: {BATCH} label_fields: "label" }} {features}
      model_config {{ {groups}
        dlrm {{ dense_mlp {{ hidden_units: [32, 32, 16] }}
          final {{ hidden_units: [32, 32, 32, 32] }} }}
        losses {{ binary_cross_entropy {{}} }} metrics {{ auc {{}} }}
        train_metrics {{ auc {{}} decay_step: 1000 }} }}"""
    return text_format.Parse(text, PipelineConfig())


def batch_of(rows: int, device: torch.device, size: int = BATCH) -> Batch:
    ids = torch.randint(0, rows, (TABLES, size), device=device)
    joined = JoinedIds(tuple(f"c{i}" for i in range(TABLES)), ids)
    return Batch(
        size,
        dense={f"i{i}": torch.rand(size, 1, device=device) for i in range(NUMBERS)},
        sparse=cast(dict[str, IdList], joined.by_name()),
        labels={"label": torch.rand(size, device=device).round()},
        plain_ids=joined,
    )


def step_of(config: PipelineConfig, device: torch.device) -> tuple[TrainStep, Model]:
    model = build_model(config, features_of(config))
    model.to(device)
    context = WorkerContext(0, 1, device, RankRun())
    return prepared(config, model, context), model


def prepared(config: PipelineConfig, model: Model, context: WorkerContext) -> TrainStep:
    model.init_metric()
    optimizers = build_optimizers(config.train_config, model)
    for metric in model.train_metrics.values():
        metric.hand_over()
    return TrainStep(config.train_config, model, optimizers, context)


def train(step: TrainStep, model: Model, batch: Batch) -> None:
    """Makes a step, with its metrics."""
    output = step.backward(batch, group_rows=batch.size, group=1, last=True)
    step.unscale()
    assert step.update()
    model.update_train_metric(output.predictions, batch)


def operations_of_window(step: TrainStep, model: Model, size: int) -> Counter[str]:
    """Returns the operations of a window of few steps, by name."""
    batches = [batch_of(50, torch.device("cpu"), size) for _ in range(WINDOW)]
    train(step, model, batches[0])
    with Operations() as operations:
        for batch in batches:
            train(step, model, batch)
        for metric in model.train_metrics.values():
            metric.take_window()
    return operations.counts


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("rows", [50, 10_000])
@pytest.mark.parametrize("sparse", SPARSE)
def test_a_step_of_a_dlrm_takes_few_operations(sparse: str, rows: int, precision: str) -> None:
    # On the CPU few gradients are added at once, and many table by table.
    device = torch.device("cpu")
    step, model = step_of(config_of(SPARSE[sparse], rows, f"{precision} {CLIPPED}"), device)
    counts = operations_of_window(step, model, BATCH)
    assert sum(counts.values()) <= MOST * WINDOW, counts.most_common()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_step_with_sharded_tables_takes_few_operations(precision: str) -> None:
    device = torch.device("cpu")
    context = WorkerContext(0, 1, device, RankRun())
    config = config_of(SPARSE["row-wise"], more=f"{precision} {CLIPPED}")
    config.train_config.embedding_tables = EmbeddingTables.SHARDED
    model = build_worker_model(config, features_of(config), context)
    assert model.sharded is not None
    step = prepared(config, model, context)
    counts = operations_of_window(step, model, BATCH)
    assert sum(counts.values()) <= MOST * WINDOW, counts.most_common()


@pytest.mark.parametrize("rows", [50, 40_000])
@pytest.mark.parametrize("sparse", SPARSE)
def test_a_step_asks_the_device_for_nothing(sparse: str, rows: int) -> None:
    # A tensor without numbers raises if anybody asks for one, or copies it off its device.
    device = torch.device("meta")
    step, model = step_of(config_of(SPARSE[sparse], rows, CLIPPED), device)
    recorder: Any = Measured()
    wanted = ["global_gradient_norm", "gradient_norm", "gradient", "parameter"]
    summaries = GradientSummaries(wanted, model, cast(Recorder, recorder), device)
    for _ in range(2):
        batch = batch_of(rows, device)
        step.backward(batch, group_rows=2 * BATCH, group=2, last=False)
        step.backward(batch, group_rows=2 * BATCH, group=2, last=True)
        step.unscale()
        summaries.measure()
        assert step.update()
    assert "global_gradient_norm" in recorder.norms
    assert len(recorder.norms) > TABLES


class Measured:
    """A recorder that keeps the norms."""

    def __init__(self) -> None:
        self.norms: dict[str, torch.Tensor] = {}

    def add_gradient_norms(self, norms: dict[str, torch.Tensor]) -> None:
        self.norms |= norms

    def add_histogram(self, name: str, histogram: dict[str, torch.Tensor]) -> None:
        assert histogram["counts"].device.type == "meta", name
