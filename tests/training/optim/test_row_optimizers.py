"""Optimizers of embedding tables, against their formulas written out for single rows in float64."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import EmbeddingCollection, EmbeddingTable
from raymon.protos.optimizer_pb2 import SparseOptimizer
from raymon.training.optim.row_optimizer import RowOptimizer
from raymon.training.optim.row_optimizers import build_row_optimizer, max_gradient
from raymon.training.optim.table_gradients import TableGradients

Row = npt.NDArray[np.float64]
EPS = 1e-8
LR, DECAY, B1, B2 = 0.1, 0.3, 0.8, 0.95


class Kept:
    """The state of a row in an optimizer."""

    def __init__(self, dim: int, initial: float = 0.0) -> None:
        self.first, self.second, self.row = np.zeros(dim), np.full(dim, float(initial)), 0.0


def sgd(w: Row, g: Row, kept: Kept, t: int) -> Row:
    return w - LR * g


def adagrad(w: Row, g: Row, kept: Kept, t: int) -> Row:
    kept.second += g * g
    return w - LR * g / (np.sqrt(kept.second) + EPS)


def rowwise(w: Row, g: Row, kept: Kept, t: int) -> Row:
    kept.row += float(np.mean(g * g))
    return w - LR * g / (math.sqrt(kept.row) + EPS)


def rowwise_l2(w: Row, g: Row, kept: Kept, t: int) -> Row:
    return rowwise(w, g + DECAY * w, kept, t)


def rowwise_decoupled(w: Row, g: Row, kept: Kept, t: int) -> Row:
    return rowwise(w, g, kept, t) - LR * DECAY * w


def adam(w: Row, g: Row, kept: Kept, t: int) -> Row:
    kept.first = B1 * kept.first + (1 - B1) * g
    kept.second = B2 * kept.second + (1 - B2) * g * g
    step = kept.first / (1 - B1**t) / (np.sqrt(kept.second / (1 - B2**t)) + EPS)
    return w - LR * (step + DECAY * w)


def partial_rowwise_adam(w: Row, g: Row, kept: Kept, t: int) -> Row:
    kept.first = B1 * kept.first + (1 - B1) * g
    kept.row = B2 * kept.row + (1 - B2) * float(np.mean(g * g))
    step = kept.first / (1 - B1**t) / (math.sqrt(kept.row / (1 - B2**t)) + EPS)
    return w - LR * (step + DECAY * w)


def lamb(w: Row, g: Row, kept: Kept, t: int) -> Row:
    kept.first = B1 * kept.first + (1 - B1) * g
    kept.second = B2 * kept.second + (1 - B2) * g * g
    root = np.sqrt(kept.second / (1 - B2**t)) + EPS
    return trusted(w, kept.first / (1 - B1**t) / root)


def partial_rowwise_lamb(w: Row, g: Row, kept: Kept, t: int) -> Row:
    kept.first = B1 * kept.first + (1 - B1) * g
    kept.row = B2 * kept.row + (1 - B2) * float(np.mean(g * g))
    return trusted(w, kept.first / (1 - B1**t) / (math.sqrt(kept.row / (1 - B2**t)) + EPS))


def trusted(w: Row, step: Row) -> Row:
    step = step + DECAY * w
    return w - LR * float(np.linalg.norm(w) / np.linalg.norm(step)) * step


def lars(w: Row, g: Row, kept: Kept, t: int) -> Row:
    length = np.linalg.norm(w)
    ratio = 1e-3 * length / (np.linalg.norm(g) + DECAY * length)
    kept.first = B1 * kept.first + LR * ratio * (g + DECAY * w)
    return w - kept.first


def ftrl(w: Row, g: Row, kept: Kept, t: int) -> Row:
    beta, l1, l2, power = 1.0, 0.05, 0.3, 0.4
    total = kept.second + g * g
    kept.first = kept.first + g - (total**power - kept.second**power) / LR * w
    kept.second = total
    moved = (np.sign(kept.first) * l1 - kept.first) / ((beta + total**power) / LR + l2)
    return np.where(np.abs(kept.first) <= l1, 0.0, moved)


FTRL = f"lr: {LR} learning_rate_power: -0.4 ftrl_beta: 1 l1_reg: 0.05 l2_reg: 0.3"
Rule = Callable[[Row, Row, Kept, int], Row]
BETAS = f"lr: {LR} beta1: {B1} beta2: {B2} weight_decay: {DECAY}"
KINDS: dict[str, tuple[Rule, float]] = {
    f"sgd_optimizer {{ lr: {LR} }}": (sgd, 0),
    f"adagrad_optimizer {{ lr: {LR} }}": (adagrad, 0),
    f"adagrad_optimizer {{ lr: {LR} initial_accumulator_value: 0.5 }}": (adagrad, 0.5),
    f"rowwise_adagrad_optimizer {{ lr: {LR} weight_decay: {DECAY} }}": (rowwise, 0),
    f"rowwise_adagrad_optimizer {{ lr: {LR} weight_decay: {DECAY} weight_decay_mode: L2 }}": (
        rowwise_l2, 0,
    ),
    f"rowwise_adagrad_optimizer {{ lr: {LR} weight_decay: {DECAY} weight_decay_mode: DECOUPLE }}": (
        rowwise_decoupled, 0,
    ),
    f"adam_optimizer {{ {BETAS} }}": (adam, 0),
    f"partial_rowwise_adam_optimizer {{ {BETAS} }}": (partial_rowwise_adam, 0),
    f"lamb_optimizer {{ {BETAS} }}": (lamb, 0),
    f"partial_rowwise_lamb_optimizer {{ {BETAS} }}": (partial_rowwise_lamb, 0),
    f"lars_sgd_optimizer {{ lr: {LR} momentum: {B1} weight_decay: {DECAY} }}": (lars, 0),
    f"ftrl_optimizer {{ {FTRL} initial_accumulator_value: 0.1 }}": (ftrl, 0.1),
    f"ftrl_optimizer {{ {FTRL} }}": (ftrl, 0),
}  # fmt: skip
SMALL, LARGE = 12, 40_000


def trained(
    text: str,
    size: int,
    dim: int = 3,
    pooling: str = "sum",
    specs: dict[str, EmbeddingSpec] | None = None,
) -> tuple[EmbeddingCollection, TableGradients, RowOptimizer]:
    block = text_format.Parse(text, SparseOptimizer())
    torch.manual_seed(0)
    embeddings = EmbeddingCollection(specs or {"f": EmbeddingSpec("t", size, dim, pooling)})
    tables = [m for m in embeddings.modules() if isinstance(m, EmbeddingTable)]
    gradients = TableGradients(tables, max_gradient(block))
    return embeddings, gradients, build_row_optimizer(block, gradients.tables)


def backward(embeddings: EmbeddingCollection, ids: IdList, gradient: torch.Tensor) -> None:
    batch = Batch(size=len(gradient), sparse={"f": ids})
    (embeddings(batch)["f"] * gradient).sum().backward()


def weight(embeddings: EmbeddingCollection) -> torch.Tensor:
    return next(embeddings.parameters()).detach()


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("text", KINDS)
def test_rows_that_are_looked_up_follow_the_formula_and_others_stay(text: str, size: int) -> None:
    rule, initial = KINDS[text]
    embeddings, gradients, optimizer = trained(text, size)
    expected = weight(embeddings).double().numpy().copy()
    kept = {row: Kept(3, initial) for row in range(12)}
    generator = torch.Generator().manual_seed(1)
    for t in range(1, 6):
        # Step 3 looks up no row at all, and still counts.
        ids = torch.randint(0, 12, (0 if t == 3 else 5,), generator=generator)
        gradient = torch.randn(len(ids), 3, generator=generator)
        backward(embeddings, IdList(ids), gradient)
        optimizer.step()
        gradients.clear()
        for row in set(ids.tolist()):
            # A row that is looked up twice takes one step, with the sum.
            total = gradient[ids == row].double().sum(0).numpy()
            expected[row] = rule(expected[row], total, kept[row], t)
        np.testing.assert_allclose(weight(embeddings).numpy()[:12], expected[:12], rtol=2e-5)
        idle = np.setdiff1d(np.arange(size), ids.numpy())
        if t == 1:
            assert np.array_equal(weight(embeddings).numpy()[idle].astype(float), expected[idle])


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("text", KINDS)
def test_what_is_kept_of_rows_that_are_not_looked_up_stays(text: str, size: int) -> None:
    embeddings, gradients, optimizer = trained(text, size)
    for ids in ([1, 2, 3], [2, 2]):
        backward(embeddings, IdList(torch.tensor(ids)), torch.ones(len(ids), 3))
        before = {n: v.clone() for n, v in optimizer.state[next(embeddings.parameters())].items()}
        was = weight(embeddings).clone()
        optimizer.step()
        gradients.clear()
    after = optimizer.state[next(embeddings.parameters())]
    idle = [0, 1, 3, *range(4, size)]
    assert torch.equal(weight(embeddings)[idle], was[idle])
    for name, value in before.items():
        if name != "step":
            assert torch.equal(after[name][idle], value[idle]), name


def test_a_row_that_is_looked_up_moves_even_where_its_gradient_is_zero() -> None:
    embeddings, _, optimizer = trained(f"adam_optimizer {{ {BETAS} }}", SMALL)
    was = weight(embeddings).clone()
    backward(embeddings, IdList(torch.tensor([5])), torch.zeros(1, 3))
    optimizer.step()
    torch.testing.assert_close(weight(embeddings)[5], was[5] * (1 - LR * DECAY))
    assert torch.equal(weight(embeddings)[4], was[4])


ids_of_rows = st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6)


@settings(deadline=None, max_examples=60)
@given(ids_of_rows, st.sampled_from(["sum", "mean"]), st.booleans(), st.sampled_from([10, LARGE]))
def test_gradients_are_those_of_torch(
    rows: list[list[int]], pooling: str, weighted: bool, size: int
) -> None:
    lengths = torch.tensor([len(row) for row in rows], dtype=torch.long)
    values = torch.tensor([i for row in rows for i in row], dtype=torch.long)
    generator = torch.Generator().manual_seed(len(values))
    weights = torch.rand(len(values), generator=generator) if weighted else None
    ids = IdList(values, lengths.cumsum(0) - lengths, weights)
    gradient = torch.randn(len(rows), 3, generator=generator)
    plain = EmbeddingCollection({"f": EmbeddingSpec("t", size, 3, pooling)})
    backward(plain, ids, gradient)
    embeddings, gradients, _ = trained("sgd_optimizer {}", size, pooling=pooling)
    (table,) = gradients.tables
    for _ in range(2):
        backward(embeddings, ids, gradient)
        gradients.settle()
        found = next(embeddings.parameters()).grad
        expected = next(plain.parameters()).grad
        assert found is not None
        assert expected is not None
        torch.testing.assert_close(found.to_dense(), expected)
        assert table.rows().tolist() == sorted(set(values.tolist()))
        gradients.clear()
        gradients.settle()
        assert not len(table.rows())
        assert not len(table.values())


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_gradients_of_several_steps_are_added_up_with_the_rows_of_all(size: int) -> None:
    embeddings, gradients, optimizer = trained("sgd_optimizer { lr: 1 }", size)
    was = weight(embeddings).clone()
    for ids in ([1, 1], [4], [1]):
        backward(embeddings, IdList(torch.tensor(ids)), torch.ones(len(ids), 3))
    assert gradients.tables[0].rows().tolist() == [1, 4]
    optimizer.step()
    was[1] -= 3
    was[4] -= 1
    torch.testing.assert_close(weight(embeddings), was)


def test_gradients_of_looked_up_embeddings_are_clipped_each_by_itself() -> None:
    text = "sgd_optimizer { lr: 1 gradient_clipping: true max_gradient: 0.5 }"
    embeddings, gradients, optimizer = trained(text, SMALL)
    was = weight(embeddings).clone()
    # The incoming gradients are 2 times as large as those of the global batch.
    gradients.begin(torch.tensor(2.0))
    gradient = torch.tensor([[3.0, -0.4, 0.2], [2.0, -9.0, 0.1], [0.6, 0.8, -1.2]])
    backward(embeddings, IdList(torch.tensor([7, 7, 2])), gradient)
    optimizer.step()
    was[7] -= torch.tensor([2.0, -1.4, 0.3])
    was[2] -= torch.tensor([0.6, 0.8, -1.0])
    torch.testing.assert_close(weight(embeddings), was)


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("first", [True, False])
def test_a_table_that_is_used_by_another_way_than_by_ids_is_trained_as_a_whole(
    size: int, first: bool
) -> None:
    embeddings, gradients, optimizer = trained("sgd_optimizer { lr: 1 }", size)
    (parameter,) = embeddings.parameters()
    for _ in range(2):
        was = weight(embeddings).clone()
        expected = was - 2 * was
        expected[3] -= 1
        if first:
            parameter.square().sum().backward()
        backward(embeddings, IdList(torch.tensor([3])), torch.ones(1, 3))
        if not first:
            parameter.square().sum().backward()
        optimizer.step()
        torch.testing.assert_close(weight(embeddings), expected)
        gradients.clear()
    gradients.settle()
    assert not len(gradients.tables[0].rows())


def test_a_state_is_taken_up_and_goes_on() -> None:
    text = f"adam_optimizer {{ {BETAS} }}"
    runs = [trained(text, SMALL) for _ in range(2)]
    steps = [(torch.tensor([seed, 3]), torch.full((2, 3), float(seed))) for seed in range(1, 5)]
    for number, (ids, gradient) in enumerate(steps):
        for embeddings, gradients, optimizer in runs[: 1 if number < 2 else 2]:
            backward(embeddings, IdList(ids), gradient)
            optimizer.step()
            gradients.clear()
        if number == 1:
            weight(runs[1][0]).copy_(weight(runs[0][0]))
            runs[1][2].load_state_dict(copy.deepcopy(runs[0][2].state_dict()))
    assert torch.equal(weight(runs[0][0]), weight(runs[1][0]))


@pytest.mark.parametrize("text", KINDS)
def test_rows_by_a_mask_as_on_a_gpu_come_to_the_same(text: str) -> None:
    runs = [trained(text, SMALL) for _ in range(2)]
    for seed in range(1, 4):
        ids, gradient = torch.tensor([seed, 3, 3]), torch.full((3, 3), float(seed))
        for number, (embeddings, gradients, optimizer) in enumerate(runs):
            backward(embeddings, IdList(ids), gradient)
            if number == 1:
                optimizer.count_step()
                optimizer.move_masked(gradients.tables)
            else:
                optimizer.step()
            gradients.clear()
    torch.testing.assert_close(weight(runs[1][0]), weight(runs[0][0]), rtol=1e-6, atol=1e-8)
    idle = [0, *range(4, SMALL)]
    assert torch.equal(weight(runs[1][0])[idle], weight(runs[0][0])[idle])
