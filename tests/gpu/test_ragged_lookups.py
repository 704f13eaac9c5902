"""On a GPU features of several or no ids a row have the embeddings and gradients of the CPU."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from benchmarks.harness.device_waits import waits_of_this_thread
from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import EmbeddingCollection, EmbeddingTable
from raymon.training.optim.table_gradients import TableGradients

pytestmark = pytest.mark.gpu

FEATURES, DIM, SIZE = 12, 8, 1_000
POOLINGS: tuple[Literal["sum", "mean"], ...] = ("mean", "sum", "sum")
"""Of every third feature; the last ones have weights."""


def batch_of(rows: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    sparse = {}
    for number in range(FEATURES):
        lengths = torch.randint(0, 5, (SIZE,), generator=generator)
        count = int(lengths.sum())
        values = torch.randint(0, rows, (count,), generator=generator)
        weights = torch.rand(count, generator=generator) if number % 3 == 2 else None
        sparse[f"f{number}"] = IdList(values, lengths.cumsum(0) - lengths, weights)
    return Batch(SIZE, sparse=sparse)


@pytest.mark.parametrize("rows", [500, 50_000])
@pytest.mark.parametrize("data_type", ["FP32", "FP16", "BF16"])
def test_lookups_of_ragged_features_are_those_of_the_cpu_and_wait_for_nothing(
    rows: int, data_type: Literal["FP32", "FP16", "BF16"], device: torch.device
) -> None:
    found = [lookups_of(rows, data_type, place) for place in (torch.device("cpu"), device)]
    for name, expected in found[0].items():
        torch.testing.assert_close(found[1][name].cpu(), expected, rtol=1e-5, atol=1e-5)


def lookups_of(
    rows: int, data_type: Literal["FP32", "FP16", "BF16"], device: torch.device
) -> dict[str, torch.Tensor]:
    """Returns the embeddings of each feature, and the gradient of each table."""
    torch.manual_seed(0)
    collection = EmbeddingCollection(
        {
            f"f{i}": EmbeddingSpec(f"t{i // 2}", rows, DIM, POOLINGS[i % 3], data_type=data_type)
            for i in range(FEATURES)
        }
    ).to(device)
    tables = [t for t in collection.tables.values() if isinstance(t, EmbeddingTable)]
    gradients = TableGradients(tables, 0.5)
    batch = batch_of(rows).to(device)

    def step() -> dict[str, torch.Tensor]:
        embeddings = collection(batch)
        torch.cat(list(embeddings.values()), dim=1).square().sum().backward()
        gradients.settle()
        return {name: value.detach() for name, value in embeddings.items()}

    if device.type == "cuda":
        step()
        for each in gradients.tables:
            each.clear()
        with waits_of_this_thread() as waits:
            found = step()
        assert not waits
    else:
        found = step()
    for number, table in enumerate(tables):
        assert table.rows is not None
        gradient = torch.zeros(table.weight.shape, dtype=table.rows.dtype, device=device)
        gradient.index_copy_(0, table.rows.rows(), table.rows.values())
        found[f"gradient of {number}"] = gradient
    return found
