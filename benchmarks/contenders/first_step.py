"""A run of raymon whose model records when its first training step begins."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from google.protobuf import text_format
from torch import Tensor, nn

from benchmarks.inputs.criteo_like import LABEL, NUMBERS
from raymon.data import Batch
from raymon.models import Head, RankingModel
from raymon.protos.pipeline_pb2 import PipelineConfig

WORKERS, STEPS, BATCH = 2, 5, 256

_FEATURES = "\n".join(
    f'feature_configs {{ raw_feature {{ feature_name: "{name}" expression: "user:{name}" '
    'normalizer: "method=expression,expr=log1p(x)" } }'
    for name in NUMBERS
)


class NotingModel(RankingModel):
    """An MLP over the numbers, which records the time of its first step.

    Args:
        arguments: Arguments of `RankingModel`.
        directory: Directory of the files with the time of each rank.
    """

    def __init__(self, *arguments: Any, directory: str) -> None:
        super().__init__(*arguments)
        self._directory = Path(directory)
        self._is_first = True
        self.layers = layers()
        self.head = Head(16, self.kinds, 1)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Records the time at the first training step; returns the predictions of the head."""
        if self.training and self._is_first:
            self._is_first = False
            note_first_step(self._directory, dist.get_rank())
        predictions: dict[str, Tensor] = self.head(
            self.layers(torch.cat([batch.dense[name] for name in NUMBERS], 1))
        )
        return predictions


def layers() -> nn.Sequential:
    """Returns the layers that are trained, without the last one."""
    return nn.Sequential(nn.Linear(len(NUMBERS), 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())


def pipeline_text(data: Path, model_dir: Path, notes: Path) -> str:
    """Returns the config of a run of a few steps, as text."""
    return f"""
train_input_path: "{data}"
model_dir: "{model_dir}"
train_config {{
  dense_optimizer {{ adam_optimizer {{ lr: 0.001 }} }}
  num_steps: {STEPS}
}}
data_config {{ fg_mode: FG_DAG batch_size: {BATCH} label_fields: "{LABEL}" }}
{_FEATURES}
model_config {{
  feature_groups {{ group_name: "dense" group_type: DEEP feature_names: {json.dumps(NUMBERS)} }}
  custom {{
    class_path: "benchmarks.contenders.first_step:NotingModel"
    kwargs {{ key: "directory" value: '"{notes}"' }}
  }}
  losses {{ binary_cross_entropy {{}} }}
  train_metrics {{ auc {{}} }}
}}
ray_config {{ num_workers: {WORKERS} }}
"""


def pipeline(data: Path, model_dir: Path, notes: Path) -> PipelineConfig:
    """Returns the config of a run of a few steps."""
    return text_format.Parse(pipeline_text(data, model_dir, notes), PipelineConfig())


def note_first_step(directory: Path, rank: int) -> None:
    """Records that a rank begins with its first step now."""
    (directory / f"first-{rank}").write_text(repr(time.time()))


def first_step(directory: Path) -> float:
    """Returns when the later rank began, in seconds since 1970."""
    times = [float(path.read_text()) for path in directory.glob("first-*")]
    assert len(times) == WORKERS, f"{directory}: {len(times)} ranks"
    return max(times)
