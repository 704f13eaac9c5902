"""Positions of sequences in sharded tables have the embeddings and gradients of dense ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from raymon.embeddings import EmbeddingCollection
from tests.embeddings.sharded.positions import STEPS, batch_of, loss_of, main, specs
from tests.forked import run_ranks


@pytest.mark.parametrize(
    ("count", "sharding"), [(1, "row_wise"), (2, "row_wise"), (2, "table_wise")]
)
def test_a_table_of_rows_and_positions_is_trained_as_a_dense_one(
    count: int, sharding: str, tmp_path: Path
) -> None:
    outs = [tmp_path / str(rank) for rank in range(count)]
    store = f"{tmp_path}/store"
    run_ranks(main, [(rank, count, store, sharding, out) for rank, out in enumerate(outs)])
    found = [torch.load(out, weights_only=False) for out in outs]
    torch.manual_seed(0)
    dense = EmbeddingCollection(specs())
    for step in range(STEPS):
        for parameter in dense.parameters():
            parameter.grad = None
        for rank in range(count):
            loss_of(dense, batch_of(step, rank)).backward()
        with torch.no_grad():
            for parameter in dense.parameters():
                parameter -= 0.1 * parameter.grad
    for name, parameter in dense.named_parameters():
        whole = torch.zeros_like(parameter)
        for tables in found:
            for shard in tables[f"embeddings.{name}"].shards:
                rows = slice(shard.row, shard.row + len(shard.values))
                columns = slice(shard.column, shard.column + shard.values.shape[1])
                whole[rows, columns] = shard.values
        torch.testing.assert_close(whole, parameter.detach())
