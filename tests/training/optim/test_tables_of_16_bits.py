"""Tables of 16 bits: a step is that of the formula in float64, and only the row is rounded."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from raymon.data import EmbeddingSpec, IdList
from tests.training.optim.test_row_optimizers import (
    KINDS,
    LARGE,
    SMALL,
    Kept,
    backward,
    trained,
    weight,
)

TYPES = {"FP16": torch.float16, "BF16": torch.bfloat16}


def spec(data_type: Any, size: int) -> dict[str, EmbeddingSpec]:
    return {"f": EmbeddingSpec("t", size, 3, data_type=data_type)}


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("data_type", TYPES)
@pytest.mark.parametrize("text", KINDS)
def test_a_step_is_the_formula_in_more_bits_rounded_once(
    text: str, data_type: str, size: int
) -> None:
    rule, initial = KINDS[text]
    embeddings, gradients, optimizer = trained(text, size, specs=spec(data_type, size))
    assert weight(embeddings).dtype == TYPES[data_type]
    half_a_step = torch.finfo(TYPES[data_type]).eps / 2
    kept = {row: Kept(3, initial) for row in range(12)}
    generator = torch.Generator().manual_seed(1)
    for t in range(1, 9):
        before = weight(embeddings).clone()
        ids = torch.randint(0, 12, (0 if t == 3 else 5,), generator=generator)
        # With one of float16, a gradient this small would be zero, and its square one of bfloat16.
        gradient = torch.randn(len(ids), 3, generator=generator) * (1e-6 if t % 2 else 1)
        backward(embeddings, IdList(ids), gradient)
        optimizer.step()
        gradients.clear()
        after = weight(embeddings)
        for row in set(ids.tolist()):
            total = gradient[ids == row].double().sum(0).numpy()
            exact = rule(before[row].double().numpy(), total, kept[row], t)
            found = after[row].double().numpy()
            np.testing.assert_allclose(found, exact, rtol=half_a_step + 3e-5, atol=1e-7)
        idle = np.setdiff1d(np.arange(size), ids.numpy())
        assert torch.equal(after[idle], before[idle])


@pytest.mark.parametrize("data_type", TYPES)
@pytest.mark.parametrize("text", KINDS)
def test_states_are_float32_and_taken_up_as_they_were(text: str, data_type: str) -> None:
    runs = [trained(text, SMALL, specs=spec(data_type, SMALL)) for _ in range(2)]
    for seed in range(1, 5):
        for embeddings, gradients, optimizer in runs[: 1 if seed < 3 else 2]:
            backward(embeddings, IdList(torch.tensor([seed, 3, 3])), torch.full((3, 3), seed / 3))
            optimizer.step()
            gradients.clear()
        if seed == 2:
            weight(runs[1][0]).copy_(weight(runs[0][0]))
            runs[1][2].load_state_dict(copy.deepcopy(runs[0][2].state_dict()))
    assert torch.equal(weight(runs[0][0]), weight(runs[1][0]))
    for own in runs[1][2].state_dict()["state"].values():
        assert {value.dtype for value in own.values()} == {torch.float32}
        assert all(value.is_contiguous() for value in own.values())


@pytest.mark.parametrize("text", KINDS)
def test_rows_by_a_mask_as_on_a_gpu_come_to_the_same(text: str) -> None:
    runs = [trained(text, SMALL, specs=spec("BF16", SMALL)) for _ in range(2)]
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
    eps = torch.finfo(torch.bfloat16).eps
    torch.testing.assert_close(weight(runs[1][0]), weight(runs[0][0]), rtol=eps, atol=1e-8)


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("first", [True, False])
def test_a_penalty_on_a_whole_table_is_trained_too(size: int, first: bool) -> None:
    embeddings, gradients, optimizer = trained(
        "sgd_optimizer { lr: 1 }", size, specs=spec("FP16", size)
    )
    (parameter,) = embeddings.parameters()
    for _ in range(2):
        expected = weight(embeddings).float() * 0.5
        expected[3] -= 1
        if first:
            parameter.float().square().sum().mul(0.25).backward()
        backward(embeddings, IdList(torch.tensor([3])), torch.ones(1, 3))
        if not first:
            gradients.settle()
            parameter.float().square().sum().mul(0.25).backward()
        optimizer.step()
        eps = torch.finfo(torch.float16).eps
        torch.testing.assert_close(weight(embeddings).float(), expected, rtol=eps, atol=1e-6)
        gradients.clear()
    gradients.settle()
    assert not len(gradients.tables[0].rows())
