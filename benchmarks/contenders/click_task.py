"""The task of all contenders in a whole run: one model, its features, its optimizer, its metric.

A light DLRM: 26 tables of 10,000 hashed ids and 8 numbers each, a bottom MLP of 32 and 8 units, a
top MLP of 64 and 32; Adam, fused for all contenders as raymon has it on the CPU, and 4,096 rows a
step of each of 2 workers. Peers get their features from raymon's own code, as three tensors a
batch, which are cheaper to send than one for each feature.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from google.protobuf import text_format
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.inputs.criteo_like import CATEGORIES, LABEL, NUMBERS
from raymon.data import Batch, Feature, IdList
from raymon.models import Model, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.input.readers import features_of

BATCH, WORKERS = 4_096, 2
WINDOW = 100
"""Number of steps between two points on a curve."""

RATE = 0.001
COLUMNS = (*NUMBERS, *CATEGORIES, LABEL)

_FEATURES = "\n".join(
    [
        f'feature_configs {{ raw_feature {{ feature_name: "{name}" expression: "user:{name}" '
        'normalizer: "method=expression,expr=log1p(x)" } }'
        for name in NUMBERS
    ]
    + [
        f'feature_configs {{ id_feature {{ feature_name: "{name}" expression: "user:{name}" '
        "value_dim: 1 embedding_dim: 8 hash_bucket_size: 10000 } }"
        for name in CATEGORIES
    ]
)
_PIPELINE = f"""
train_config {{
  dense_optimizer {{ adam_optimizer {{ lr: {RATE} }} }}
  num_epochs: 1
  save_checkpoints_steps: 1000000
  log_step_count_steps: {WINDOW}
}}
data_config {{ fg_mode: FG_DAG batch_size: {BATCH} label_fields: "{LABEL}" }}
{_FEATURES}
model_config {{
  feature_groups {{ group_name: "dense" group_type: DEEP
    feature_names: {json.dumps(NUMBERS)} }}
  feature_groups {{ group_name: "sparse" group_type: DEEP
    feature_names: {json.dumps(CATEGORIES)} }}
  dlrm {{ dense_mlp {{ hidden_units: [32, 8] }} final {{ hidden_units: [64, 32] }} }}
  losses {{ binary_cross_entropy {{}} }}
  train_metrics {{ auc {{}} decay_step: {WINDOW} }}
}}
"""


@dataclass(frozen=True)
class Trained:
    """The outcome of a contender's run.

    Attributes:
        samples: Rows that all ranks trained on.
        seconds: Seconds from the start of the loop, when the model is ready, to its end, with all
            that it reads; of the slowest rank.
        wall_s: Seconds from the call to its return.
        loss: Loss of the last steps.
    """

    samples: int
    seconds: float
    wall_s: float
    loss: float

    @property
    def per_second(self) -> float:
        """Samples of all ranks per second of training."""
        return self.samples / self.seconds


def pipeline(data: Path, model_dir: Path, workers: int = WORKERS) -> PipelineConfig:
    """Returns the config of a run."""
    config: PipelineConfig = text_format.Parse(_PIPELINE, PipelineConfig())
    config.train_input_path, config.model_dir = str(data), str(model_dir)
    config.ray_config.num_workers = workers
    return config


def features() -> list[Feature]:
    """Returns the features of the model."""
    return features_of(text_format.Parse(_PIPELINE, PipelineConfig()))


def build() -> Model:
    """Returns the model with its initial weights, the same in every process."""
    config = text_format.Parse(_PIPELINE, PipelineConfig())
    torch.manual_seed(config.train_config.seed)
    return build_model(config, features_of(config))


def convert(table: pa.Table, features: list[Feature]) -> dict[str, np.ndarray]:
    """Makes the features of some rows.

    Returns:
        `numbers`: float32 `[B, 13]`; `ids`: int64 `[B, 26]`; labels: float32 `[B]`.
    """
    values = [feature.convert(table[feature.column]) for feature in features]
    return {
        "numbers": torch.cat([v for v in values if isinstance(v, Tensor)], 1).numpy(),
        "ids": torch.stack([v.values for v in values if isinstance(v, IdList)], 1).numpy(),
        LABEL: table[LABEL].to_numpy().astype(np.float32),
    }


def batch_of(tensors: dict[str, Tensor]) -> Batch:
    """Returns the batch that the model takes, from tensors as `convert` returns them."""
    numbers, ids, labels = tensors["numbers"], tensors["ids"], tensors[LABEL]
    return Batch(
        len(labels),
        dict(zip(NUMBERS, numbers.split(1, dim=1), strict=True)),
        {name: IdList(column) for name, column in zip(CATEGORIES, ids.unbind(1), strict=True)},
        {LABEL: labels},
    )


def loss_of(predictions: dict[str, Tensor], batch: Batch) -> Tensor:
    """Returns the mean loss over the rows of a batch."""
    return binary_cross_entropy_with_logits(predictions["logits"], batch.labels[LABEL])


def note_rank(directory: Path, rank: int, samples: int, seconds: float, loss: float) -> None:
    """Writes the outcome of a rank into a file."""
    figures = {"samples": samples, "seconds": seconds, "loss": loss}
    (directory / f"rank-{rank}.json").write_text(json.dumps(figures))


def trained(directory: Path, wall_s: float, workers: int = WORKERS) -> Trained:
    """Returns the outcome of all ranks together, from their files."""
    ranks = [json.loads(path.read_text()) for path in sorted(directory.glob("rank-*.json"))]
    assert len(ranks) == workers, f"{directory}: {len(ranks)} ranks"
    return Trained(
        sum(rank["samples"] for rank in ranks),
        max(rank["seconds"] for rank in ranks),
        wall_s,
        math.fsum(rank["loss"] for rank in ranks) / len(ranks),
    )
