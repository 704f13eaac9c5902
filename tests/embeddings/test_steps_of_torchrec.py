"""A step of a table is that of TorchRec's fused collection, number by number."""

from __future__ import annotations

import pytest
import torch
from google.protobuf import text_format
from torchrec.modules.embedding_configs import EmbeddingBagConfig
from torchrec.modules.fused_embedding_modules import FusedEmbeddingBagCollection
from torchrec.optim import RowWiseAdagrad
from torchrec.sparse.jagged_tensor import KeyedJaggedTensor

from raymon.data import IdList
from raymon.embeddings import EmbeddingTable
from raymon.protos.optimizer_pb2 import SparseOptimizer
from raymon.training.optim.row_optimizers import build_row_optimizer
from raymon.training.optim.table_gradients import TableGradients

DIM, LR, STEPS = 8, 0.1, 10

OPTIMIZERS = {
    "sgd_optimizer": torch.optim.SGD,
    "adagrad_optimizer": torch.optim.Adagrad,
    "rowwise_adagrad_optimizer": RowWiseAdagrad,
}


@pytest.mark.parametrize("rows", [100, 40_000])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rows_are_those_of_its_fused_step_on_the_same_batches(name: str, rows: int) -> None:
    torch.manual_seed(0)
    table = EmbeddingTable(rows, DIM, True)
    gradients = TableGradients([table])
    block = text_format.Parse(f"{name} {{ lr: {LR} }}", SparseOptimizer())
    optimizer = build_row_optimizer(block, gradients.tables)
    config = EmbeddingBagConfig(
        name="t", embedding_dim=DIM, num_embeddings=rows, feature_names=["f"]
    )
    kwargs = {"lr": LR} if name == "sgd_optimizer" else {"lr": LR, "eps": 1e-8}
    peer = FusedEmbeddingBagCollection(
        [config], OPTIMIZERS[name], kwargs, device=torch.device("cpu")
    )
    theirs = peer.state_dict()["embedding_bags.t.weight"]
    theirs.copy_(table.weight.detach())
    for _ in range(STEPS):
        lengths = torch.randint(0, 4, (32,))
        ids = torch.randint(0, rows, (int(lengths.sum()),))
        gradient = torch.randn(32, DIM)
        (table(IdList(ids, lengths.cumsum(0) - lengths), "sum") * gradient).sum().backward()
        gradients.exchange(1)
        optimizer.step()
        gradients.clear()
        found = peer(KeyedJaggedTensor(["f"], ids, lengths=lengths)).values()
        (found * gradient).sum().backward()
    torch.testing.assert_close(table.weight.detach(), theirs, rtol=1e-6, atol=1e-6)
