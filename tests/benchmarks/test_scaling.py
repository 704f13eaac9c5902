"""The model of what a cluster of any size takes."""

from __future__ import annotations

import pytest

from benchmarks.harness.turns import in_turns
from benchmarks.scaling import RANKS_A_NODE, Model, nodes, sync_depth


def test_the_model_finds_the_costs_that_its_points_were_made_of() -> None:
    flat = [(ranks, 0.01 + 0.0005 * ranks) for ranks in (8, 512)]
    tree = [(count, 0.02 + 0.003 * count) for count in (2, 20)]
    model = Model.of(flat, tree)
    assert (model.window, model.rank, model.node) == pytest.approx((0.01, 0.0005, 0.003))
    assert model.cores(1_000) == pytest.approx(0.51)
    assert model.cores_in_tree(10_000) == pytest.approx(0.31)


def test_noise_makes_no_cost_negative() -> None:
    model = Model.of([(8, 0.02), (512, 0.01)], [(2, 0.02), (20, 0.01)])
    assert (model.window, model.rank, model.node) == (0.02, 0.0, 0.0)


def test_the_last_node_may_be_part_full() -> None:
    ranks = (1, RANKS_A_NODE, RANKS_A_NODE + 1)
    assert [nodes(count) for count in ranks] == [1, 1, 2]


def test_each_round_doubles_those_that_know() -> None:
    assert [sync_depth(ranks) for ranks in (1, 2, 3, 4, 10_000)] == [0, 1, 2, 2, 14]


def test_contenders_take_turns_at_being_first() -> None:
    order: list[str] = []
    contenders = {name: lambda name=name: order.append(name) or len(order) for name in "ab"}
    assert in_turns(contenders, 3) == {"a": [1, 4, 5], "b": [2, 3, 6]}
    assert order == ["a", "b", "b", "a", "a", "b"]
