"""Rows of sharded tables follow the formulas, on any number of ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raymon.data import EmbeddingSpec
from raymon.embeddings import EmbeddingCollection
from tests.embeddings.sharded.rank import (
    CASES,
    REFUSED,
    ROWS,
    WIDE,
    Case,
    groups,
    main,
    used,
    wide_batches,
    wide_specs,
)
from tests.forked import run_ranks

Values = npt.NDArray[np.float64]
Found = dict[Any, Any]
TRAINED, FROZEN = "embeddings.tables.t_t.weight", "embeddings.tables.t_still.weight"


@pytest.fixture(scope="module", params=[1, 2, 3])
def ranks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """Returns what each rank ends with."""
    folder, count = tmp_path_factory.mktemp("ranks"), request.param
    outs = [folder / str(rank) for rank in range(count)]
    run_ranks(main, [(rank, count, f"{folder}/store", out) for rank, out in enumerate(outs)])
    return [torch.load(out, weights_only=False) for out in outs]


def whole(ranks: list[Found], case: Case | str, path: str) -> Values:
    """Returns a table from the parts of all ranks, which cover each number once."""
    shape = ranks[0][case][path].shape
    table, covered = torch.zeros(shape), torch.zeros(shape)
    for found in ranks:
        for shard in found[case][path].shards:
            rows = slice(shard.row, shard.row + len(shard.values))
            columns = slice(shard.column, shard.column + shard.values.shape[1])
            table[rows, columns] = shard.values
            covered[rows, columns] += 1
    assert (covered == 1).all()
    return table.double().numpy()


def initial(dim: int) -> tuple[Values, Values]:
    """Returns the initial values of the replicated engine."""
    torch.manual_seed(0)
    specs = {"a": EmbeddingSpec("t", ROWS, dim), "frozen": EmbeddingSpec("still", ROWS, dim)}
    tables = EmbeddingCollection(specs).tables
    first, second = (tables[key].weight.detach().double().numpy() for key in ("t_t", "t_still"))
    return first, second


def expected(case: Case, table: Values) -> Values:
    """Returns the table after all steps, by the formulas of fbgemm's optimizers, in float64."""
    text, pooling, _, count = case
    table = table.copy()
    dim = table.shape[1]
    total: dict[int, Values] = {}
    limit = 0.3 if "max_gradient" in text else np.inf
    for group in groups(count):
        sums: dict[int, Values] = {}
        for batch in group:
            for number, ids in enumerate(batch.lists):
                of_list, of_id = batch.gradients[number].double().numpy().clip(-limit, limit)
                for place, row in enumerate(ids):
                    weight = batch.weights[number][place] if pooling == "weighted" else 1.0
                    weight = 1 / len(ids) if pooling == "mean" else weight
                    sums[used()[row]] = sums.get(used()[row], np.zeros(dim)) + weight * of_list
                row = used()[batch.ids[number]]
                sums[row] = sums.get(row, np.zeros(dim)) + of_id
        for row, gradient in sums.items():
            factor = np.ones(dim)
            if "adagrad" in text:
                square = gradient**2
                if "rowwise" in text:
                    square = square.mean()
                total[row] = total.get(row, 0.2 if "initial" in text else 0.0) + square
                factor = 1 / (np.sqrt(total[row]) + 1e-8)
            table[row] = table[row] - 0.1 * factor * gradient
    return table


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rows_are_those_of_the_formulas(ranks: list[Found], case: Case) -> None:
    found = whole(ranks, case, TRAINED)
    begun, still = initial(found.shape[1])
    np.testing.assert_allclose(found, expected(case, begun), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(whole(ranks, case, FROZEN), still)


def test_columns_and_halves_follow_the_formula_too(ranks: list[Found]) -> None:
    torch.manual_seed(0)
    begun = EmbeddingCollection(wide_specs()).tables
    tables = {n: begun[f"t_{n}"].weight.detach().double().numpy().copy() for n in ("wide", "half")}
    sums = {name: np.zeros_like(table) for name, table in tables.items()}
    for ids, *gradients in wide_batches():
        for name, gradient in zip(tables, gradients, strict=True):
            total = np.zeros_like(tables[name])
            np.add.at(total, ids.numpy(), gradient.double().numpy())
            sums[name] += total**2
            tables[name] -= 0.1 * total / (np.sqrt(sums[name]) + 1e-8)
    for name, tolerance in (("wide", 1e-6), ("half", 1e-3)):
        found = whole(ranks, WIDE, f"embeddings.tables.t_{name}.weight")
        np.testing.assert_allclose(found, tables[name], rtol=0, atol=tolerance)
    shards = [found[WIDE]["embeddings.tables.t_wide.weight"].shards for found in ranks]
    assert len({shard.column for own in shards for shard in own}) == min(len(ranks), 2)


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_no_plan_has_is_one_line_on_every_rank(
    ranks: list[Found], case: tuple[str, str, str]
) -> None:
    if len(ranks) == 1:
        return  # Alone, a table is whole.
    _, sharding, kernel = case
    for found in ranks:
        said = str(found[case])
        assert said.startswith("feature_configs: the table ")
        assert "cannot be placed as embedding_constraints" in said
        assert sharding in said or kernel in said
        assert "\n" not in said
