"""Features of several or no ids a row are looked up together, as the definition says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import Batch, EmbeddingSpec, Growth, IdList
from raymon.embeddings import (
    EmbeddingCollection,
    EmbeddingTable,
    joining,
    ragged_lookups,
)
from raymon.training.optim.table_gradients import TableGradients
from tests.operations import Operations

ROWS, DIM = 6, 4
KINDS = ("mean", "sum", "weighted", "weighted singles", "mean of weighted")


def spec_of(table: str, kind: str, data_type: Literal["FP32", "FP16", "BF16"]) -> EmbeddingSpec:
    pooling: Literal["sum", "mean"] = "mean" if kind.startswith("mean") else "sum"
    return EmbeddingSpec(table, ROWS, DIM, pooling, data_type=data_type)


def ids_of(kind: str, size: int, generator: torch.Generator) -> IdList:
    lengths = torch.randint(0, 4, (size,), generator=generator)
    if kind == "weighted singles":
        lengths = torch.ones_like(lengths)
    values = torch.randint(0, ROWS, (int(lengths.sum()),), generator=generator)
    offsets = None if kind == "weighted singles" else lengths.cumsum(0) - lengths
    weights = torch.rand(len(values), generator=generator) if "weighted" in kind else None
    return IdList(values, offsets, weights)


def tables_of(collection: EmbeddingCollection) -> list[EmbeddingTable]:
    return [table for table in collection.tables.values() if isinstance(table, EmbeddingTable)]


def expected_of(
    ids: IdList, pooling: str, table: torch.Tensor, gradient: torch.Tensor, limit: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the embeddings and the gradient of the table, id by id in float64."""
    size = len(gradient)
    starts = list(range(size)) if ids.offsets is None else ids.offsets.tolist()
    embeddings = torch.zeros(size, DIM, dtype=torch.float64)
    of_table = torch.zeros(ROWS, DIM, dtype=torch.float64)
    for row, (first, last) in enumerate(zip(starts, [*starts[1:], len(ids.values)], strict=False)):
        of_row = gradient[row].double()
        if limit is not None:
            of_row = of_row.clamp(-limit, limit)
        for at in range(first, last):
            factor = 1 / (last - first) if pooling == "mean" else 1.0
            if ids.weights is not None:
                factor = float(ids.weights[at])
            embeddings[row] += factor * table[ids.values[at]].double()
            of_table[ids.values[at]] += factor * of_row
    return embeddings, of_table


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(KINDS)), min_size=1, max_size=6),
    st.integers(0, 5),
    st.sampled_from(["FP32", "FP16", "BF16"]),
    st.sampled_from([None, 0.1]),
    st.sampled_from([joining.SMALL, 0]),
    st.integers(0, 100),
)
def test_embeddings_and_gradients_are_those_of_the_definition(
    features: Sequence[tuple[str, str]],
    size: int,
    data_type: Literal["FP32", "FP16", "BF16"],
    limit: float | None,
    small: int,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    specs = {f"f{i}": spec_of(*feature, data_type) for i, feature in enumerate(features)}
    collection, generator = EmbeddingCollection(specs), torch.Generator().manual_seed(seed)
    sparse = {
        name: ids_of(kind, size, generator)
        for name, (_, kind) in zip(specs, features, strict=True)
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joining, "SMALL", small)
        patch.setattr(joining, "_joins_large", lambda device: True)
        gradients = TableGradients(tables_of(collection), limit)
    found = collection(Batch(size, sparse=sparse))
    directions = {name: torch.randn(size, DIM, generator=generator) for name in specs}
    torch.stack([(found[n] * d).sum() for n, d in directions.items()]).sum().backward()
    gradients.settle()
    expected = {spec.name: torch.zeros(ROWS, DIM, dtype=torch.float64) for spec in specs.values()}
    for name, spec in specs.items():
        table = collection.get_parameter(f"tables.t_{spec.name}.weight")
        embeddings, of_table = expected_of(
            sparse[name], spec.pooling, table.detach(), directions[name], limit
        )
        torch.testing.assert_close(found[name].double(), embeddings, rtol=1e-5, atol=1e-6)
        expected[spec.name] += of_table
    modules = collection.tables
    for name, gradient in expected.items():
        (table_rows,) = (t.rows for t in tables_of(collection) if t is modules[f"t_{name}"])
        assert table_rows is not None
        measured = torch.zeros_like(gradient)
        measured.index_copy_(0, table_rows.rows(), table_rows.values().double())
        torch.testing.assert_close(measured, gradient, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("data_type", ["FP32", "FP16", "BF16"])
def test_together_embeddings_are_bit_for_bit_those_of_each_alone(
    data_type: Literal["FP32", "FP16", "BF16"], monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = {kind: spec_of(kind[:2], kind, data_type) for kind in KINDS}
    collection, generator = EmbeddingCollection(specs), torch.Generator().manual_seed(1)
    TableGradients(tables_of(collection))
    batch = Batch(300, sparse={kind: ids_of(kind, 300, generator) for kind in KINDS})
    together = collection(batch)
    with torch.no_grad():
        evaluated = collection(batch)
    monkeypatch.setattr(ragged_lookups, "_MOST_BYTES", 0)
    for name, value in collection(batch).items():
        assert torch.equal(together[name], value)
        assert torch.equal(evaluated[name], value)


def test_tables_that_grow_are_looked_up_with_the_others() -> None:
    specs = {kind: spec_of(kind, kind, "FP32") for kind in KINDS}
    grown = {k: replace(spec, growth=Growth(1, "lfu")) for k, spec in specs.items()}
    generator = torch.Generator().manual_seed(1)
    sparse = {kind: ids_of(kind, 5, generator) for kind in KINDS}
    # Nothing was admitted: every id has the last row.
    last = {
        k: replace(ids, values=torch.full_like(ids.values, ROWS - 1)) for k, ids in sparse.items()
    }
    torch.manual_seed(0)
    expected = EmbeddingCollection(specs)
    torch.manual_seed(0)
    growing = EmbeddingCollection(grown)
    TableGradients(tables_of(growing))
    found = growing(Batch(5, sparse=sparse))
    for name, value in expected(Batch(5, sparse=last)).items():
        assert torch.equal(found[name], value)


@pytest.mark.parametrize("data_type", ["FP32", "BF16"])
@pytest.mark.parametrize("small", [joining.SMALL, 0])
def test_their_number_changes_no_number_of_operations(
    small: int, data_type: Literal["FP32", "BF16"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "SMALL", small)
    monkeypatch.setattr(joining, "_joins_large", lambda device: True)
    few, many = (operations_of(count, data_type, torch.device("cpu")) for count in (5, 40))
    assert few == many
    assert few <= (36 if small == 0 else 24)


@pytest.mark.parametrize("data_type", ["FP32", "BF16"])
@pytest.mark.parametrize("small", [joining.SMALL, 0])
def test_they_ask_the_device_for_nothing(
    small: int, data_type: Literal["FP32", "BF16"], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A tensor without numbers raises if anybody asks for one, or copies it off its device.
    monkeypatch.setattr(joining, "SMALL", small)
    operations_of(10, data_type, torch.device("meta"))


def operations_of(features: int, data_type: Any, device: torch.device) -> int:
    """Returns the number of operations from ids to the gradient of the joint table."""
    kinds = [KINDS[i % len(KINDS)] for i in range(features)]
    specs = {f"f{i}": spec_of(f"t{i}", kind, data_type) for i, kind in enumerate(kinds)}
    collection = EmbeddingCollection(specs).to(device)
    gradients = TableGradients(tables_of(collection), 0.1)
    generator = torch.Generator().manual_seed(0)
    sparse = {
        name: ids_of(kind, 8, generator).to(device)
        for name, kind in zip(specs, kinds, strict=True)
    }  # fmt: skip
    with Operations() as operations:
        found = torch.cat(list(collection(Batch(8, sparse=sparse)).values()))
        found.backward(torch.ones_like(found))
        gradients.settle()
    return sum(operations.counts.values())
