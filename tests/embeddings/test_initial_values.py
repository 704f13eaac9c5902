from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from torch import nn

from raymon.data import EmbeddingSpec
from raymon.data.features.initializer import parse_initializer
from raymon.embeddings import EmbeddingCollection, fill
from raymon.embeddings.initial_values import BLOCK_ROWS

ROWS, DIM = 2 * BLOCK_ROWS + 1_234, 3
DRAWN = [
    "uniform_,a=-0.01,b=0.03",
    "normal_,mean=2,std=0.5",
    "trunc_normal_,std=0.5,a=-0.4,b=1",
    "trunc_normal_,mean=-3",
    "xavier_uniform_,gain=2",
    "xavier_normal_",
    "kaiming_uniform_,a=0.5",
    "kaiming_uniform_,mode=fan_out,nonlinearity=selu",
    "kaiming_normal_,nonlinearity=tanh",
    "kaiming_normal_,mode=fan_out,nonlinearity=relu",
]


def table(
    init: str | None = None,
    shape: tuple[int, int] = (ROWS, DIM),
    name: str = "t",
    seed: int = 7,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    values = torch.full(shape, math.nan, dtype=dtype)
    fill(values, name, shape, None if init is None else parse_initializer(init), seed)
    return values


WHOLE = {init: table(init) for init in (None, "normal_", "trunc_normal_")}


@settings(deadline=None, max_examples=25)
@given(
    init=st.sampled_from(list(WHOLE)),
    first=st.integers(0, ROWS) | st.sampled_from([BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1]),
    end=st.integers(0, ROWS) | st.sampled_from([BLOCK_ROWS, 2 * BLOCK_ROWS, ROWS]),
    columns=st.tuples(st.integers(0, DIM), st.integers(0, DIM)).map(sorted),
    has_gaps=st.booleans(),
)
def test_a_part_of_a_table_has_the_values_of_the_whole_to_the_bit(
    init: str | None, first: int, end: int, columns: list[int], has_gaps: bool
) -> None:
    first, end = min(first, end), max(first, end)
    low, high = columns
    room = torch.full((end - first, 2 * DIM), math.nan)
    part = room[:, : high - low] if has_gaps else torch.empty(end - first, high - low)
    parsed = None if init is None else parse_initializer(init)
    fill(part, "t", (ROWS, DIM), parsed, 7, first_row=first, first_column=low)
    assert torch.equal(part, WHOLE[init][first:end, low:high])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_values_of_another_type_are_those_of_float32_rounded(dtype: torch.dtype) -> None:
    assert torch.equal(table(dtype=dtype), WHOLE[None].to(dtype))
    part = torch.empty(100, 2, dtype=dtype)
    fill(part, "t", (ROWS, DIM), None, 7, first_row=BLOCK_ROWS - 50, first_column=1)
    assert torch.equal(part, WHOLE[None][BLOCK_ROWS - 50 : BLOCK_ROWS + 50, 1:].to(dtype))


def test_seed_name_and_shape_all_count_and_no_block_is_like_another() -> None:
    shape = (BLOCK_ROWS, 2)
    tables = [
        table(shape=shape),
        table(shape=shape, seed=8),
        table(shape=shape, name="u"),
        table(shape=(BLOCK_ROWS + 1, 2))[:BLOCK_ROWS],
        table(shape=(2 * BLOCK_ROWS, 2))[:BLOCK_ROWS],
        table(shape=(2 * BLOCK_ROWS, 2))[BLOCK_ROWS:],
    ]
    for i, one in enumerate(tables):
        for other in tables[:i]:
            correlation = np.corrcoef(one.flatten().numpy(), other.flatten().numpy())[0, 1]
            # Five standard deviations of that of independent values.
            assert abs(correlation) < 5 / math.sqrt(one.numel())


@pytest.mark.parametrize("text", DRAWN)
def test_values_are_distributed_as_torch_would_draw_them(text: str) -> None:
    shape = (20_000, 12)
    parsed = parse_initializer(text)
    torch.manual_seed(1)
    theirs = torch.empty(shape)
    initialize: Any = getattr(nn.init, parsed.name)
    initialize(theirs, **dict(parsed.arguments))
    ours = table(text, shape=shape)
    # The 0.001 quantile of the Kolmogorov-Smirnov distance of equal distributions.
    distance = ks_2samp(ours.flatten().numpy(), theirs.flatten().numpy()).statistic
    assert distance < 1.95 * math.sqrt(2 / ours.numel())
    error = 5 * float(theirs.std()) * math.sqrt(2 / ours.numel())
    assert abs(float(ours.mean() - theirs.mean())) < error
    torch.testing.assert_close(ours.std(), theirs.std(), rtol=0.02, atol=0)


def test_bounds_are_kept() -> None:
    values = table("trunc_normal_,mean=1,std=0.3,a=0.9,b=1.25", shape=(50_000, 4))
    torch.testing.assert_close(values.min(), torch.tensor(0.9), rtol=1e-3, atol=0)
    torch.testing.assert_close(values.max(), torch.tensor(1.25), rtol=1e-3, atol=0)
    default = table(shape=(2_500, 16))
    assert 0.0199 < default.abs().max() <= 1 / 50


@pytest.mark.parametrize(
    ("text", "value"), [("zeros_", 0.0), ("ones_", 1.0), ("constant_,val=0.25", 0.25)]
)
def test_a_constant_is_everywhere(text: str, value: float) -> None:
    assert (table(text) == value).all()


def test_tables_of_a_collection_follow_its_seed_their_names_and_their_initializers() -> None:
    specs = {
        "a": EmbeddingSpec("a", 500, 4),
        "b": EmbeddingSpec("b", 500, 4, init_fn=parse_initializer("ones_")),
        "c": EmbeddingSpec("c", 500, 4),
    }
    torch.manual_seed(3)
    first, second = EmbeddingCollection(specs), EmbeddingCollection(specs)
    torch.manual_seed(3)
    again = EmbeddingCollection(dict(reversed(specs.items())))
    weights = [
        {name: parameter.detach() for name, parameter in each.named_parameters()}
        for each in (first, second, again)
    ]
    a, b, c = (f"tables.t_{name}.weight" for name in "abc")
    assert all(torch.equal(weights[0][name], weights[2][name]) for name in (a, b, c))
    assert torch.equal(weights[0][a], table(shape=(500, 4), name="a", seed=first.seed))
    assert (weights[0][b] == 1).all()
    assert not torch.equal(weights[0][a], weights[0][c])
    assert not torch.equal(weights[0][a], weights[1][a])


def test_on_meta_nothing_is_drawn() -> None:
    with torch.device("meta"):
        collection = EmbeddingCollection({"a": EmbeddingSpec("a", 2**40, 4)})
    assert next(collection.parameters()).is_meta
