"""The task on a GPU: a DLRM of 26 tables, and its batches in the memory of the host.

26 tables of 16 numbers a row, 13 numbers that go through a bottom MLP of 512, 256 and 16 units, the
dot products of all pairs, and a top MLP of 1024, 1024, 512 and 256 units. Adam trains the MLPs, SGD
the tables: it is the one optimizer whose update of many rows a plain operation of torch makes
without knowing on the host which rows they are, so that the limits can have it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from google.protobuf import text_format

from raymon.data import Batch, IdList, JoinedIds
from raymon.protos.pipeline_pb2 import PipelineConfig

TABLES, DIM, NUMBERS = 26, 16, 13
BOTTOM, TOP = (512, 256, DIM), (1024, 1024, 512, 256)
RATE, TABLE_RATE = 1e-3, 0.01
WINDOW = 100
"""Number of steps of a window."""

NAMES = tuple(f"category_{i}" for i in range(TABLES))
LABEL = "click"


@dataclass(frozen=True)
class Task:
    """What is trained.

    Attributes:
        rows: Rows of a step.
        table_rows: Rows of each table.
        precision: "BF16" or "FP16"; empty for float32.
        widths: Units of the bottom MLP, and of the top MLP.
    """

    rows: int
    table_rows: int
    precision: str = ""
    widths: tuple[Sequence[int], Sequence[int]] = (BOTTOM, TOP)

    def __str__(self) -> str:
        return (
            f"{self.precision or 'float32'}, {self.rows:,} rows a step, tables of "
            f"{self.table_rows:,} rows"
        )


def pipeline(task: Task, model_dir: str, steps: int) -> PipelineConfig:
    """Returns the config of a run of so many steps."""
    features = "\n".join(
        f'feature_configs {{ id_feature {{ feature_name: "{name}" expression: "user:{name}" '
        f"num_buckets: {task.table_rows} embedding_dim: {DIM} }} }}"
        for name in NAMES
    )
    precision = f'mixed_precision: "{task.precision}"' if task.precision else ""
    listed = ", ".join(f'"{name}"' for name in NAMES)
    bottom, top = task.widths
    text = f"""
      model_dir: "{model_dir}"
      train_config {{
        num_steps: {steps} log_step_count_steps: {WINDOW} save_checkpoints_steps: 0 {precision}
        dense_optimizer {{ adam_optimizer {{ lr: {RATE} }} }}
        sparse_optimizer {{ sgd_optimizer {{ lr: {TABLE_RATE} }} }}
      }}
      data_config {{ batch_size: {task.rows} label_fields: "{LABEL}" fg_mode: FG_DAG }}
      {features}
      feature_configs {{ raw_feature {{ feature_name: "numbers" expression: "user:numbers"
        value_dim: {NUMBERS} }} }}
      model_config {{
        feature_groups {{ group_name: "dense" group_type: DEEP feature_names: "numbers" }}
        feature_groups {{ group_name: "sparse" group_type: DEEP feature_names: [{listed}] }}
        dlrm {{ dense_mlp {{ hidden_units: {list(bottom)} }}
          final {{ hidden_units: {list(top)} }} }}
        losses {{ binary_cross_entropy {{}} }}
        train_metrics {{ auc {{}} decay_step: {WINDOW} }}
      }}
      ray_config {{ num_workers: 0 }}"""
    config: PipelineConfig = text_format.Parse(text, PipelineConfig())
    return config


def host_batches(task: Task, count: int) -> list[Batch]:
    """Returns different batches as a reader makes them, in the memory of the host."""
    generator = torch.Generator().manual_seed(0)
    batches = []
    for _ in range(count):
        ids = torch.randint(0, task.table_rows, (TABLES, task.rows), generator=generator)
        joined = JoinedIds(NAMES, ids)
        numbers = torch.randn(task.rows, NUMBERS, generator=generator)
        clicks = (torch.rand(task.rows, generator=generator) < 0.1).float()
        sparse: dict[str, IdList] = joined.by_name()
        batches.append(
            Batch(task.rows, {"numbers": numbers}, sparse, {LABEL: clicks}, plain_ids=joined)
        )
    return batches
