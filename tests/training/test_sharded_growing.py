"""Tables that grow and are sharded over workers are those of which each worker has all rows."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from tests.training.test_growing_tables import LRU, World, mapping, run_worlds

Weights = Mapping[str, torch.Tensor]
ROW_WISE = "rowwise_adagrad_optimizer { lr: 0.1 }"

WORLDS = {
    "alone": World(1),
    **{f"lfu_{n}": World(n, engine="SHARDED") for n in (1, 2, 3)},
    "row_wise": World(1, policy=LRU, optimizer=ROW_WISE),
    "row_wise_2": World(2, policy=LRU, optimizer=ROW_WISE, engine="SHARDED"),
    # Between engines, numbers of ranks and sizes, in the middle of intervals.
    **{
        f"{name}_{kind}": World(ranks, steps, f"run_{kind}", size=size, engine=engine)
        for kind, stays in (("whole", True), ("moved", False))
        for name, steps, size, ranks, engine in (
            ("sized", 4, 12, 1 if stays else 2, "REPLICATED" if stays else "SHARDED"),
            ("larger", 7, 20, 1 if stays else 3, "REPLICATED" if stays else "SHARDED"),
            ("smaller", 9, 5, 1 if stays else 2, "REPLICATED" if stays else "SHARDED"),
            ("again", 11, 30, 1 if stays else 2, "REPLICATED"),
        )
    },
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Weights]]:
    return run_worlds(tmp_path_factory.mktemp("sharded"), WORLDS)


@pytest.mark.parametrize(
    ("alone", "name"),
    [
        *(("alone", f"lfu_{n}") for n in (1, 2, 3)),
        ("row_wise", "row_wise_2"),
        *((f"{name}_whole", f"{name}_moved") for name in ("sized", "larger", "smaller", "again")),
    ],
)
def test_sharded_tables_grow_as_whole_ones(
    runs: dict[str, list[Weights]], alone: str, name: str
) -> None:
    expected = runs[alone][0]
    for found in runs[name]:
        assert found.keys() == expected.keys()
        assert mapping(found) == mapping(expected)
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, rtol=1e-5, atol=1e-5, msg=key)
