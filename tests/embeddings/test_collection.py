from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import embedding

from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import EmbeddingCollection
from raymon.errors import ConfigError


def batch(**sparse: IdList) -> Batch:
    return Batch(size=2, sparse=sparse)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6))
def test_pooling_is_the_sum_or_the_mean_of_the_rows_ids(rows: list[list[int]]) -> None:
    for pooling in ("sum", "mean"):
        tables = EmbeddingCollection({"f": EmbeddingSpec("t", 10, 3, pooling)})
        table = next(tables.parameters()).detach().numpy()
        lengths = torch.tensor([len(row) for row in rows], dtype=torch.long)
        values = torch.tensor([i for row in rows for i in row], dtype=torch.long)
        pooled = tables(batch(f=IdList(values, lengths.cumsum(0) - lengths)))["f"]
        assert pooled.shape == (len(rows), 3)
        pool = getattr(np, pooling)
        for row, got in zip(rows, pooled.detach().numpy(), strict=True):
            expected = pool(table[row], axis=0) if row else np.zeros(3)
            np.testing.assert_allclose(got, expected, atol=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6),
    st.sampled_from(["FP16", "BF16"]),
    st.sampled_from(["sum", "mean", "weighted", "plain"]),
    st.booleans(),
)
def test_rows_of_16_bits_are_added_up_in_float32(
    rows: list[list[int]], data_type: Any, how: str, autocast: bool
) -> None:
    pooling = "mean" if how == "mean" else "sum"
    tables = EmbeddingCollection({"f": EmbeddingSpec("t", 10, 3, pooling, data_type=data_type)})
    table = next(tables.parameters())
    assert table.dtype == {"FP16": torch.float16, "BF16": torch.bfloat16}[data_type]
    exact = table.detach().double().numpy()
    lengths = torch.tensor([len(row) for row in rows], dtype=torch.long)
    values = torch.tensor([i for row in rows for i in row], dtype=torch.long)
    weights = torch.arange(len(values)).float() + 0.3 if how == "weighted" else None
    ids = IdList(values, lengths.cumsum(0) - lengths, weights)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        found = tables(batch(f=IdList(values) if how == "plain" else ids))["f"]
    assert found.dtype == torch.float32
    if how == "plain":
        assert np.array_equal(found.detach().double().numpy(), exact[values.numpy()])
        return
    factors = np.ones(len(values)) if weights is None else weights.double().numpy()
    of_row = np.split(exact[values.numpy()] * factors[:, None], lengths.cumsum(0)[:-1].numpy())
    for each, got in zip(of_row, found.detach().numpy(), strict=bool(rows)):
        expected = each.sum(0) / (max(1, len(each)) if how == "mean" else 1)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_features_with_one_table_name_share_the_table_each_with_its_pooling() -> None:
    shared = EmbeddingCollection(
        {"a": EmbeddingSpec("t", 10, 3), "b": EmbeddingSpec("t", 10, 3, "mean")}
    )
    assert len(list(shared.parameters())) == 1
    ids = IdList(torch.tensor([1, 1, 2, 2]), torch.tensor([0, 2]))
    out = shared(batch(a=ids, b=ids))
    torch.testing.assert_close(out["a"], 2 * out["b"])


def test_any_text_is_a_table_name() -> None:
    names = ["type", "a.b", "a_b", "a%2Eb", "forward", "keys", ""]
    tables = EmbeddingCollection({name: EmbeddingSpec(name, 5, 2) for name in names})
    assert len(list(tables.parameters())) == len(names)


@pytest.mark.parametrize("rows", [2**62, 2**44])
def test_a_table_larger_than_the_memory_is_reported(rows: int) -> None:
    with pytest.raises(ConfigError, match=f"feature_configs: the table big of {rows:,} rows of 9"):
        EmbeddingCollection({"x": EmbeddingSpec("big", rows, 9)})


def test_a_frozen_table_is_not_trained() -> None:
    tables = EmbeddingCollection({"a": EmbeddingSpec("t", 10, 3, trainable=False)})
    assert not next(tables.parameters()).requires_grad


def test_initial_values_are_uniform_in_one_over_the_root_of_the_size() -> None:
    torch.manual_seed(0)
    values = next(EmbeddingCollection({"a": EmbeddingSpec("t", 400, 64)}).parameters())
    assert values.abs().max() <= 1 / 20
    np.testing.assert_allclose(values.std().item(), 1 / 20 / 3**0.5, rtol=0.02)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_gradient_of_a_table_is_that_of_torch_to_the_bit(threads: int) -> None:
    torch.manual_seed(0)
    tables = EmbeddingCollection({"f": EmbeddingSpec("t", 300, 8)})
    table = next(tables.parameters())
    ids = torch.randint(0, 100, (40_000,))
    # As of one of several features that were stacked: not contiguous.
    gradient = torch.randn(40_000, 3, 8)[:, 1]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        rows = tables(batch(f=IdList(ids)))["f"]
        rows.backward(gradient)
        expected = table.detach().clone().requires_grad_()
        embedding(ids, expected).backward(gradient)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(rows, table[ids])
    assert table.grad is not None
    assert expected.grad is not None
    assert torch.equal(table.grad, expected.grad)
    assert table.grad[100:].count_nonzero() == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_tables_and_their_gradients_are_float32_under_autocast(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    spec = EmbeddingSpec("t", 20, 4)
    tables = EmbeddingCollection({"one": spec, "bag": spec, "weighted": spec})
    ids, starts = torch.tensor([3, 4, 3, 5]), torch.tensor([0, 1])
    rows = batch(
        one=IdList(torch.tensor([1, 3])),
        bag=IdList(ids, starts),
        weighted=IdList(ids, starts, torch.tensor([1.0, 2, 3, 4])),
    )
    results = []
    for enabled in (True, False):
        tables.zero_grad()
        with torch.autocast("cpu", dtype=dtype, enabled=enabled):
            found = tables(rows)
            torch.stack([value.square().sum() for value in found.values()]).sum().backward()
        gradient = next(tables.parameters()).grad
        assert gradient is not None
        assert {value.dtype for value in (*found.values(), gradient)} == {torch.float32}
        results.append([*found.values(), gradient.to_dense()])
    assert all(map(torch.equal, *results))


def test_the_gradient_of_a_table_is_that_of_its_definition() -> None:
    tables = EmbeddingCollection({"f": EmbeddingSpec("t", 6, 3)}).double()
    module, name = next(iter(tables.tables.values())), "weight"

    def looked_up(weight: torch.Tensor) -> torch.Tensor:
        call = torch.func.functional_call
        out: torch.Tensor = call(module, {name: weight}, (IdList(torch.tensor([1, 1, 5])), "sum"))
        return out

    assert torch.autograd.gradcheck(looked_up, module.get_parameter(name).detach().requires_grad_())
