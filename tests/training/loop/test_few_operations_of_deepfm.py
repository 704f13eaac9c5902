"""A step of a DeepFM takes few operations, whatever its ids are, and waits for no device."""

from __future__ import annotations

import pytest
import torch
from google.protobuf import text_format

from raymon.data import Batch, IdList, JoinedIds
from raymon.protos.pipeline_pb2 import PipelineConfig
from tests.operations import Operations
from tests.training.loop.test_few_operations import (
    BATCH,
    CLIPPED,
    PRECISIONS,
    SPARSE,
    step_of,
    train,
)

MOST = 190
ROWS = 50
RAGGED = ('pooling: "mean" separator: "|"', 'separator: "|"', 'weighted: true separator: "|"')


def config_of(features: int, sparse: str, rows: int, more: str) -> PipelineConfig:
    """Returns the config of so many features of one id a row, and as many of others."""
    kinds = {f"p{i}": "" for i in range(features)}
    kinds |= {f"r{i}": RAGGED[i % len(RAGGED)] for i in range(features)}
    configs = "".join(
        f'feature_configs {{ id_feature {{ feature_name: "{name}" expression: "user:{name}" '
        f"embedding_dim: 16 num_buckets: {rows} {kind} }} }}"
        for name, kind in kinds.items()
    )
    names = " ".join(f'feature_names: "{name}"' for name in kinds)
    text = f"""
      model_dir: "unused"
      train_config {{ sparse_optimizer {{ {sparse} }} dense_optimizer {{ adam_optimizer {{}} }}
        num_steps: 1 embedding_tables: REPLICATED {more} }}
      data_config {{ batch_size: {BATCH} label_fields: "label" }} {configs}
      model_config {{
        feature_groups {{ group_name: "wide" group_type: WIDE {names} }}
        feature_groups {{ group_name: "deep" group_type: DEEP {names} }}
        deepfm {{ deep {{ hidden_units: [32, 16] }} final {{ hidden_units: [32, 16] }} }}
        losses {{ binary_cross_entropy {{}} }} metrics {{ auc {{}} }}
        train_metrics {{ auc {{}} decay_step: 1000 }} }}"""
    return text_format.Parse(text, PipelineConfig())


def batch_of(features: int, device: torch.device) -> Batch:
    joined = JoinedIds(
        tuple(f"p{i}" for i in range(features)),
        torch.randint(0, ROWS, (features, BATCH), device=device),
    )
    sparse = joined.by_name()
    for number in range(features):
        lengths = torch.arange(BATCH) % 4
        values = torch.randint(0, ROWS, (int(lengths.sum()),))
        weights = torch.rand(len(values)) if number % len(RAGGED) == 2 else None
        ids = IdList(values, lengths.cumsum(0) - lengths, weights)
        sparse[f"r{number}"] = ids.to(device)
    labels = {"label": torch.rand(BATCH, device=device).round()}
    return Batch(BATCH, sparse=sparse, labels=labels, plain_ids=joined)


def operations_of_step(features: int, sparse: str, more: str) -> int:
    device = torch.device("cpu")
    step, model = step_of(config_of(features, SPARSE[sparse], ROWS, more), device)
    train(step, model, batch_of(features, device))
    batch = batch_of(features, device)
    with Operations() as operations:
        train(step, model, batch)
    return sum(operations.counts.values())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("sparse", SPARSE)
def test_a_step_takes_few_operations_whatever_the_number_of_features(
    sparse: str, precision: str
) -> None:
    more = f"{precision} {CLIPPED}"
    few, many = (operations_of_step(features, sparse, more) for features in (10, 20))
    assert few == many
    assert few <= MOST


@pytest.mark.parametrize("rows", [ROWS, 40_000])
@pytest.mark.parametrize("sparse", SPARSE)
def test_a_step_asks_the_device_for_nothing(sparse: str, rows: int) -> None:
    # A tensor without numbers raises if anybody asks for one, or copies it off its device.
    device = torch.device("meta")
    step, _ = step_of(config_of(10, SPARSE[sparse], rows, CLIPPED), device)
    for _ in range(2):
        step.backward(batch_of(10, device), group_rows=2 * BATCH, group=2, last=False)
        step.backward(batch_of(10, device), group_rows=2 * BATCH, group=2, last=True)
        step.unscale()
        assert step.update()
