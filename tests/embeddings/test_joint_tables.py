"""Tables that lie in one memory are looked up and trained as those that do not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.data import Batch, EmbeddingSpec, IdList, JoinedIds
from raymon.embeddings import (
    EmbeddingCollection,
    EmbeddingTable,
    join_tables,
    joining,
    joint_lookups,
    ragged_lookups,
)
from raymon.training.optim.table_gradients import TableGradients

ROWS, DIM = 7, 3
NAMES = ("a", "b", "c", "d", "e")
SPECS = {
    "a": EmbeddingSpec("one", ROWS, DIM, "sum"),
    "b": EmbeddingSpec("two", ROWS, DIM, "mean"),
    "c": EmbeddingSpec("one", ROWS, DIM, "sum"),
    "d": EmbeddingSpec("longer", ROWS, DIM + 1, "sum"),
    "e": EmbeddingSpec("large", ROWS + 2, DIM, "sum"),
}
KINDS = ("plain", "ragged", "weighted", "weighted singles", "not joined")


def tables_of(collection: EmbeddingCollection) -> list[EmbeddingTable]:
    return [table for table in collection.tables.values() if isinstance(table, EmbeddingTable)]


def collection_of(specs: dict[str, EmbeddingSpec] = SPECS) -> EmbeddingCollection:
    torch.manual_seed(0)
    return EmbeddingCollection(specs)


def ids_of(kind: str, size: int, generator: torch.Generator) -> IdList:
    if kind in ("plain", "not joined"):
        return IdList(torch.randint(0, ROWS, (size,), generator=generator))
    if kind == "weighted singles":
        ids = torch.randint(0, ROWS, (size,), generator=generator)
        return IdList(ids, weights=torch.rand(size, generator=generator))
    lengths = torch.randint(0, 4, (size,), generator=generator)
    values = torch.randint(0, ROWS, (int(lengths.sum()),), generator=generator)
    weights = torch.rand(len(values), generator=generator) if kind == "weighted" else None
    return IdList(values, lengths.cumsum(0) - lengths, weights)


def batch_of(kinds: Sequence[str], size: int, seed: int, order: Sequence[str] = NAMES) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    sparse = {n: ids_of(kind, size, generator) for n, kind in zip(NAMES, kinds, strict=True)}
    plain = [n for n in order if kinds[NAMES.index(n)] == "plain"]
    if not plain:
        return Batch(size, sparse=sparse)
    # As rows of a larger matrix.
    matrix = torch.stack([sparse[n].values for n in plain]).repeat(1, 2)[:, size // 2 :][:, :size]
    joined = JoinedIds(tuple(plain), matrix)
    return Batch(size, sparse={**sparse, **joined.by_name()}, plain_ids=joined)


def gradients_of(
    collection: EmbeddingCollection, batches: Sequence[Batch], joined: bool
) -> tuple[list[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
    """Returns embeddings of each batch, and the gradients of all, dense, by parameter."""
    tables = TableGradients(tables_of(collection)) if joined else None
    found = []
    for number, batch in enumerate(batches):
        embeddings = collection(batch)
        found.append({name: value.detach() for name, value in embeddings.items()})
        parts = [(value * (number + i + 1)).square().sum() for i, value in
                 enumerate(embeddings.values())]  # fmt: skip
        torch.stack(parts).sum().backward()
    if tables is not None:
        tables.settle()
    gradients = {}
    for name, parameter in collection.named_parameters():
        table = next(t for t in tables_of(collection) if t.weight is parameter)
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        if table.rows is not None:
            gradient = torch.zeros_like(parameter)
            gradient.index_copy_(0, table.rows.rows(), table.rows.values())
        gradients[name] = gradient
    return found, gradients


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(*(st.sampled_from(KINDS) for _ in NAMES)),
    st.integers(0, 5),
    st.permutations(NAMES),
    st.sampled_from([(1 << 20, False), (ROWS, False), (ROWS, True), (0, True)]),
    st.sampled_from([0, 1 << 20]),
    st.integers(0, 100),
)
def test_joint_tables_are_those_that_are_not(
    kinds: tuple[str, ...],
    size: int,
    order: list[str],
    way: tuple[int, bool],
    most_bytes: int,
    seed: int,
) -> None:
    batches = [batch_of(kinds, size, seed, order), batch_of(kinds[::-1], size, seed + 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joining, "SMALL", way[0])
        patch.setattr(joining, "_joins_large", lambda device: way[1])
        patch.setattr(ragged_lookups, "_MOST_BYTES", most_bytes)
        alone = gradients_of(collection_of(), batches, joined=False)
        joint = gradients_of(collection_of(), batches, joined=True)
    for expected, found in zip(alone[0], joint[0], strict=True):
        for name, value in expected.items():
            assert torch.equal(found[name], value)
    for name, gradient in alone[1].items():
        torch.testing.assert_close(joint[1][name], gradient)


def test_tables_of_one_kind_are_views_of_one_memory() -> None:
    collection = collection_of()
    before = {name: p.detach().clone() for name, p in collection.named_parameters()}
    join_tables(tables_of(collection))
    join_tables(tables_of(collection))
    memories = {p.untyped_storage().data_ptr() for p in collection.parameters()}
    assert len(memories) == 2
    for name, parameter in collection.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.is_contiguous()
    collection.load_state_dict({name: value + 1 for name, value in before.items()})
    with torch.no_grad():
        found = collection(batch_of(["plain"] * 5, 4, 0))
    expected = collection_of()
    with torch.no_grad():
        for parameter in expected.parameters():
            parameter.add_(1)
        for name, value in expected(batch_of(["plain"] * 5, 4, 0)).items():
            assert torch.equal(found[name], value)


def test_one_lookup_serves_all_features_of_a_joint_table(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = {f"f{i}": EmbeddingSpec(f"t{i}", ROWS, DIM, "sum") for i in range(9)}
    collection, calls = collection_of(specs), []
    TableGradients(tables_of(collection))
    embedding = torch.nn.functional.embedding

    def counted(*args: Any) -> torch.Tensor:
        calls.append(args)
        return embedding(*args)

    monkeypatch.setattr(torch.nn.functional, "embedding", counted)
    collection(Batch(2, sparse={name: IdList(torch.tensor([1, 2])) for name in specs}))
    assert len(calls) == 1


def test_ids_that_a_model_puts_into_its_batch_are_looked_up() -> None:
    collection = collection_of()
    join_tables(tables_of(collection))
    changed, expected = batch_of(["plain"] * 5, 4, 0), batch_of(["plain"] * 5, 4, 0)
    for batch in (changed, expected):
        batch.sparse["a"] = IdList((batch.sparse["a"].values + 1) % ROWS)
    expected.plain_ids = None
    with torch.no_grad():
        for name, value in collection(expected).items():
            assert torch.equal(collection(changed)[name], value)


@pytest.mark.parametrize("size", [0, 1, 300])
def test_padded_rows_are_each_looked_up_row_once_with_the_sum_of_its_gradients(size: int) -> None:
    collection = collection_of({"a": SPECS["a"], "b": SPECS["b"]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joining, "SMALL", 0)
        patch.setattr(joining, "_joins_large", lambda device: True)
        (rows,) = TableGradients(tables_of(collection)).tables
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 2 * ROWS, (size,), generator=generator)
    values = torch.randn(size, DIM, generator=generator)
    rows.add(ids[: size // 3], values[: size // 3])
    rows.add(ids[size // 3 :], values[size // 3 :])
    expected: dict[int, torch.Tensor] = {}
    for row, value in zip(ids.tolist(), values.double(), strict=True):
        expected[row] = expected.get(row, torch.zeros(DIM, dtype=torch.float64)) + value
    found, sums = rows.rows(), rows.values()
    assert found.shape == (size,)
    assert found[: len(expected)].tolist() == sorted(expected)
    assert set(found[len(expected) :].tolist()) <= {2 * ROWS}
    for row, total in zip(found.tolist(), sums.double(), strict=True):
        torch.testing.assert_close(
            total, expected.get(row, torch.zeros(DIM, dtype=torch.float64)), rtol=1e-4, atol=1e-5
        )


WAYS_OF_COPIES: dict[str, Callable[[EmbeddingCollection], EmbeddingCollection]] = {
    "copied": copy.deepcopy,
    "pickled": lambda collection: pickle.loads(pickle.dumps(collection)),
    "moved": lambda collection: collection.double(),
}


@pytest.mark.parametrize("is_trained", [False, True])
@pytest.mark.parametrize("way", WAYS_OF_COPIES)
def test_a_copy_looks_up_and_trains_its_own_rows(way: str, is_trained: bool) -> None:
    collection, batch = collection_of(), batch_of(["plain"] * 5, 4, 0)
    join_tables(tables_of(collection))
    if is_trained:
        TableGradients(tables_of(collection))
        torch.stack([value.sum() for value in collection(batch).values()]).sum().backward()
    twin = WAYS_OF_COPIES[way](collection)
    with torch.no_grad():
        for number, parameter in enumerate(twin.parameters()):
            parameter.fill_(number)
    twin.zero_grad()
    numbers = {id(parameter): number for number, parameter in enumerate(twin.parameters())}
    found = twin(batch)
    for name, value in found.items():
        assert bool((value == numbers[id(twin.table_of(name).weight)]).all())
    if way == "moved" and is_trained:
        # Its optimizer is where it was.
        return
    torch.stack([value.sum() for value in found.values()]).sum().backward()
    for table in tables_of(twin):
        features = [name for name in NAMES if twin.table_of(name) is table]
        assert table.weight.grad is not None
        assert table.weight.grad.sum() == 4 * len(features) * table.weight.shape[1]


@pytest.mark.parametrize("kind", ["plain", "ragged"])
def test_a_model_may_write_into_its_embeddings(kind: str) -> None:
    batch = batch_of([kind] * 5, 4, 0)

    def changed(embeddings: dict[str, torch.Tensor]) -> torch.Tensor:
        embeddings["a"].mul_(3)
        embeddings["b"].relu_()
        return torch.stack([value.square().sum() for value in embeddings.values()]).sum()

    alone, joint = collection_of(), collection_of()
    tables = TableGradients(tables_of(joint))
    for collection in (alone, joint):
        changed(collection(batch)).backward()
    tables.settle()
    for expected, found in zip(alone.parameters(), joint.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad)


@pytest.mark.parametrize("offsets", [None, torch.tensor([0, 1])])
@pytest.mark.parametrize("smallest", [0, 1 << 20])
def test_embeddings_that_no_loss_depends_on_have_no_rows_to_move(
    smallest: int, offsets: torch.Tensor | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "SMALL", smallest)
    monkeypatch.setattr(joining, "_joins_large", lambda device: True)
    collection = collection_of({"a": SPECS["a"], "b": SPECS["b"]})
    (rows,) = TableGradients(tables_of(collection)).tables
    ids = {"a": torch.tensor([1, 2]), "b": torch.tensor([3, 4])}
    batch = Batch(2, sparse={name: IdList(values, offsets) for name, values in ids.items()})
    collection(batch)["b"].sum().backward()
    assert rows.rows().tolist() == [ROWS + 3, ROWS + 4]
    torch.testing.assert_close(rows.values(), torch.ones(2, DIM))


def test_padded_rows_of_ranks_are_added_rank_by_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "SMALL", 0)
    monkeypatch.setattr(joining, "_joins_large", lambda device: True)
    (rows,) = TableGradients(tables_of(collection_of({"a": SPECS["a"]}))).tables
    index_add_, places = torch.Tensor.index_add_, []

    def kept(*args: Any) -> torch.Tensor:
        places.append(args[2].tolist())
        return index_add_(*args)

    monkeypatch.setattr(torch.Tensor, "index_add_", kept)
    of_ranks = [[0, 2, 5], [2, 3], [0, 2, 3]]
    for of_rank in of_ranks:
        rows.add(torch.tensor(of_rank), torch.randn(len(of_rank), DIM))
    rows.values()
    # A GPU adds up what is at one place in any order; here no place is there twice.
    assert places == [[0, 1, 3], [1, 2], [0, 1, 2]]


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(*(st.sampled_from(KINDS) for _ in NAMES)), st.integers(0, 5), st.booleans(),
    st.integers(0, 100),
)  # fmt: skip
def test_stacked_embeddings_are_those_of_the_features_in_their_order(
    kinds: tuple[str, ...], size: int, joined: bool, seed: int
) -> None:
    names = NAMES[:3]
    batch, runs = batch_of(kinds, size, seed), []
    for stacked in (False, True):
        collection = collection_of({name: SPECS[name] for name in names})
        tables = TableGradients(tables_of(collection)) if joined else None
        found = collection(batch, stacked=stacked)
        found = found if stacked else torch.stack(list(found.values()), dim=1)
        factors = torch.arange(3 * DIM).view(3, DIM)
        (found * factors).square().sum().backward()
        if tables is not None:
            tables.settle()
        runs.append((found, [p.grad for p in collection.parameters()]))
    (one, gradients), (other, of_stacked) = runs
    assert torch.equal(one, other)
    for gradient, expected in zip(of_stacked, gradients, strict=True):
        assert gradient is not None
        assert expected is not None
        torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("kind", ["plain", "ragged"])
@pytest.mark.parametrize("wrong", [-1, ROWS])
def test_an_id_without_a_row_is_no_row_of_another_table(
    wrong: int, kind: str, stacked: bool
) -> None:
    collection = collection_of({"a": SPECS["a"], "b": SPECS["b"]})
    TableGradients(tables_of(collection))
    offsets = None if kind == "plain" else torch.tensor([0, 1])
    ids = {name: IdList(torch.tensor([0, 3]), offsets) for name in ("a", "b")}
    collection(Batch(2, sparse=ids), stacked=stacked)
    for name in ids:
        other = {**ids, name: IdList(torch.tensor([0, wrong]), offsets)}
        with pytest.raises(IndexError, match=f"{name}: has the id {wrong}, and its table 7 rows"):
            collection(Batch(2, sparse=other), stacked=stacked)


@pytest.mark.parametrize("cached", [0, 1 << 20])
@pytest.mark.parametrize("unused", [(), ("a", "c"), ("d",), NAMES])
def test_a_group_has_nothing_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch, cached: int, unused: tuple[str, ...]
) -> None:
    # Added table by table, or all at once; tables without a gradient are zeroed too.
    monkeypatch.setattr(joint_lookups, "_CACHED_BYTES", cached)
    collection, alone = collection_of(), collection_of()
    tables = TableGradients(tables_of(collection))
    for seed in range(3):
        batch = batch_of(("plain",) * len(NAMES), 6, seed)
        for each in (collection, alone):
            found = each(batch)
            used = [v.square().sum() for n, v in found.items() if seed != 1 or n not in unused]
            if used:
                torch.stack(used).sum().backward()
        tables.settle()
        for (name, parameter), table in zip(
            alone.named_parameters(), tables_of(collection), strict=True
        ):
            assert table.rows is not None
            expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            found_there = table.weight.grad
            assert found_there is not None, name
            torch.testing.assert_close(found_there, expected)
            touched = expected.any(1).nonzero().squeeze(1)
            assert torch.equal(table.rows.rows(), touched)
        tables.clear()
        alone.zero_grad()
