"""One of several ranks that weigh the losses of a step, as a process."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from google.protobuf import text_format

from raymon.data import Batch
from raymon.models import Model
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.rank.worker_context import WorkerContext
from tests.models.multi_task.towers import GROUP
from tests.models.pipelines import batch_of, model_of, pipeline
from tests.training.rank_process import RankRun

TOWERS = """use_pareto_loss_weight: true mmoe { expert_mlp { hidden_units: 4 }
  task_towers { tower_name: "ctr" label_name: "y" losses { binary_cross_entropy {} }
    pareto_min_loss_weight: 0.2 }
  task_towers { tower_name: "cvr" label_name: "z" losses { binary_cross_entropy {} } } }"""


def model() -> Model:
    text = f"{GROUP} {TOWERS}"
    return model_of(pipeline(text, losses="", data='label_fields: ["y", "z"]'))


def step_of(made: Model, rank: int, world_size: int, precision: str = "") -> TrainStep:
    text = f"dense_optimizer {{ adam_optimizer {{}} }} {precision}"
    config = text_format.Parse(text, TrainConfig())
    context = WorkerContext(rank, world_size, torch.device("cpu"), RankRun())
    return TrainStep(config, made, build_optimizers(config, made), context)


def rows_of(rank: int) -> Batch:
    """The rows of one of two ranks: unequal in number, and in what is right."""
    return batch_of(4 + 3 * rank, seed=rank, labels=("y", "z"))


def main(rank: int, store: str, out: Path) -> None:
    """Makes a group of two steps with one other rank, and keeps the gradients."""
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    made = model()
    step = step_of(made, rank, 2)
    for last in (False, True):
        step.backward(rows_of(rank), group_rows=22, group=2, last=last)
    torch.save([p.grad for p in made.dense_parameters()], out)
    dist.destroy_process_group()
