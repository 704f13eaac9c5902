"""The row of a new id begins as one of a new table, whatever trained the row before."""

from __future__ import annotations

import pytest
import torch
from google.protobuf import text_format

from raymon.data import Batch, EmbeddingSpec, Growth, IdList
from raymon.embeddings import EmbeddingTable, GrowingIds
from raymon.protos.optimizer_pb2 import DenseOptimizer
from raymon.training.optim.optimizers import build_optimizer
from raymon.training.optim.table_growth import TableGrowth
from tests.training.optim.test_row_optimizers import KINDS, LARGE, SMALL, backward, trained

DENSE = [
    "sgd_optimizer { momentum: 0.9 }",
    "adagrad_optimizer { initial_accumulator_value: 0.5 weight_decay: 0.1 }",
    "adam_optimizer {}",
    "rmsprop_optimizer {}",
    "adadelta_optimizer {}",
]


def states(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Returns the states of rows of the only parameter."""
    ((_, parts),) = optimizer.state.items()
    return {name: part for name, part in parts.items() if torch.is_tensor(part) and part.dim()}


def check(
    ids: GrowingIds, table: EmbeddingTable, optimizer: torch.optim.Optimizer, first: list[float]
) -> None:
    """Ends the interval, and checks the rows of ids that replaced others."""
    before = {name: part.clone() for name, part in states(optimizer).items()}
    weight = table.weight.detach().clone()
    ids(torch.full((9,), 7))
    TableGrowth([(ids, table)], [optimizer], 1).step()
    (row,) = ids.eval()(torch.tensor([7])).tolist()
    bound = 1 / len(weight) ** 0.5
    assert not torch.equal(table.weight[row], weight[row])
    assert table.weight[row].abs().max() <= bound
    others = torch.arange(len(weight)) != row
    assert torch.equal(table.weight[others], weight[others])
    for (name, part), initial in zip(states(optimizer).items(), first, strict=True):
        assert not torch.equal(before[name][row], part[row]), name
        assert (part[row] == initial).all(), name
        assert torch.equal(part[others], before[name][others])


@pytest.mark.parametrize("data_type", ["FP32", "BF16"])
@pytest.mark.parametrize("size", [3, LARGE])
@pytest.mark.parametrize("text", KINDS)
def test_a_row_and_its_states_begin_anew(text: str, size: int, data_type: str) -> None:
    spec = EmbeddingSpec("t", size, 3, "sum", data_type=data_type, growth=Growth(1, "lfu"))
    embeddings, gradients, optimizer = trained(text, size, specs={"f": spec})
    ((ids, table),) = embeddings.growing_tables()
    growth = TableGrowth([(ids, table)], [optimizer], 1)
    known = torch.tensor([1, 2])
    for _ in range(3):
        backward(embeddings, IdList(known), torch.ones(2, 3))
        gradients.exchange(1)
        optimizer.step()
        gradients.clear()
        growth.step()
    if size > 3:
        # Rows that were given to nobody have been trained too, as one of the optimizers' might.
        with torch.no_grad():
            table.weight.fill_(3)
            for part in states(optimizer).values():
                part.fill_(2)
    else:
        assert ids.eval()(torch.tensor([1, 2])).tolist() == [0, 1]
    # What FTRL adds gradients up in begins with 0, whatever their squares begin with.
    first = [0.0 if name == "linear" else KINDS[text][1] for name in states(optimizer)]
    check(ids.train(), table, optimizer, first)


@pytest.mark.parametrize("text", DENSE)
def test_a_row_that_an_optimizer_of_whole_tables_trains_begins_anew_too(text: str) -> None:
    spec = EmbeddingSpec("t", SMALL, 3, "sum", growth=Growth(1, "lfu"))
    torch.manual_seed(0)
    embeddings, _, _ = trained(next(iter(KINDS)), SMALL, specs={"f": spec})
    ((ids, table),) = embeddings.growing_tables()
    table.rows = None
    optimizer = build_optimizer(text_format.Parse(text, DenseOptimizer()), [table.weight])
    for _ in range(2):
        found = embeddings(Batch(size=2, sparse={"f": IdList(torch.tensor([1, 2]))}))
        found["f"].square().sum().backward()
        optimizer.step()
        ids.set_pending([])
    with torch.no_grad():
        table.weight.fill_(3)
        for part in states(optimizer).values():
            part.fill_(2)
    initial = 0.5 if text.startswith("adagrad") else 0.0
    check(ids, table, optimizer, [initial] * len(states(optimizer)))
