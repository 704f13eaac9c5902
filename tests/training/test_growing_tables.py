"""Runs with tables that grow: on several ranks, resumed, and resumed on others.

No Ray: the ranks are processes that meet in a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.forked import run_ranks
from tests.training import rank_process

CONFIG = """
train_input_path: "{folder}/train.parquet"
eval_input_path: "{folder}/train.parquet"
model_dir: "{folder}/{run}"
train_config {{
  sparse_optimizer {{ {optimizer} constant_learning_rate {{}} }}
  dense_optimizer {{ sgd_optimizer {{ lr: 0.1 }} constant_learning_rate {{}} }}
  num_steps: {steps} save_checkpoints_steps: 1000 gradient_accumulation_steps: {group}
  embedding_tables: {engine}
}}
data_config {{ fg_mode: FG_DAG
  label_fields: "click" num_workers: 0 shuffle: true eval_batch_size: 100
  global_batch_size: 48 num_streams: 4 shuffle_buffer_size: 2
}}
feature_configs {{ id_feature {{
  feature_name: "user" expression: "user:user_id" embedding_dim: 4 embedding_name: "of_users"
  zch {{ zch_size: {size} {policy} eviction_interval: {interval} }}
}} }}
feature_configs {{ id_feature {{
  feature_name: "friends" expression: "user:friends" embedding_dim: 4 separator: "|"
  embedding_name: "of_users" zch {{ zch_size: {size} {policy} eviction_interval: {interval} }}
}} }}
feature_configs {{ combo_feature {{
  feature_name: "both" expression: ["user:user_id", "item:price"] embedding_dim: 4
  zch {{ zch_size: 9 lru {{}} eviction_interval: 2
    threshold_filtering_func: "lambda x: probabilistic_threshold_filter(x, 0.3)" }}
}} }}
feature_configs {{ id_feature {{
  feature_name: "price" expression: "item:price" embedding_dim: 4
  dynamicemb {{ max_capacity: 4 score_strategy: "LFU"
    frequency_admission_strategy {{ threshold: 30 counter_capacity: 5 }} }}
}} }}
feature_configs {{ raw_feature {{ feature_name: "number" expression: "item:price" }} }}
model_config {{
  feature_groups {{ group_name: "dense" group_type: DEEP feature_names: "number" }}
  feature_groups {{
    group_name: "sparse" group_type: DEEP feature_names: ["user", "friends", "both", "price"]
  }}
  dlrm {{ dense_mlp {{ hidden_units: [4] }} final {{ hidden_units: [8] }} }}
  losses {{ binary_cross_entropy {{}} }}
}}
"""

LFU, LRU, DISTANCE = "lfu {}", "lru {}", "distance_lfu { decay_exponent: 0.5 }"
ADAGRAD = "adagrad_optimizer { lr: 0.1 initial_accumulator_value: 0.5 }"
ADAM = "adam_optimizer { lr: 0.05 }"


@dataclass(frozen=True)
class World:
    """Ranks, and the settings of their run; runs with one directory go on from another."""

    ranks: int
    steps: int = 11
    run: str = ""
    policy: str = LFU
    optimizer: str = ADAGRAD
    size: int = 12
    interval: int = 3
    group: int = 1
    engine: str = "REPLICATED"


WORLDS = {
    **{f"lfu_{n}": World(n) for n in (1, 2, 3)},
    **{f"lru_{n}": World(n, policy=LRU, optimizer=ADAM) for n in (1, 2, 3)},
    **{f"distance_{n}": World(n, policy=DISTANCE, group=2) for n in (1, 2)},
    **{f"large_{n}": World(n, size=40_000) for n in (1, 3)},
    # Saved in the middle of an interval.
    "stopped_2": World(2, steps=4, run="same"),
    "resumed_2": World(2, run="same"),
    "moved_3": World(3, steps=4, run="moved"),
    "moved_1": World(1, steps=8, run="moved"),
    "moved_2": World(2, run="moved"),
    # Tables become larger, and then smaller than before; in the middle of intervals.
    **{
        f"{name}_{n}": World(n if stays else other, steps, f"sized_{n}", size=size)
        for n, stays in ((1, True), (2, False))
        for name, steps, size, other in (
            ("sized", 4, 12, 2),
            ("larger", 7, 20, 3),
            ("smaller", 11, 5, 2),
        )
    },
}

Weights = Mapping[str, torch.Tensor]


def make_table() -> pa.Table:
    draw = np.random.default_rng(0)
    rows = 480
    # Some ids are frequent, and which ones changes.
    user = (draw.zipf(1.3, rows) % 40 + np.arange(rows) // 100) * 1_000_003
    friends = ["|".join(f"{i * 1_000_003}" for i in draw.integers(0, 40, n)) for n in user % 4]
    return pa.table(
        {
            "user_id": user,
            "friends": friends,
            "price": draw.integers(0, 5, rows),
            "click": draw.integers(0, 2, rows).astype(np.int8),
        }
    )


def run_worlds(folder: Path, worlds: Mapping[str, World]) -> dict[str, list[Weights]]:
    """Returns what each rank of each run ends with."""
    pq.write_table(make_table(), folder / "train.parquet", row_group_size=17)
    for name, world in worlds.items():
        values = {**vars(world), "folder": folder, "run": world.run or name}
        (folder / f"{name}.config").write_text(CONFIG.format(**values))
    (folder / "worlds.json").write_text(json.dumps({n: w.ranks for n, w in worlds.items()}))
    run_ranks(rank_process.main, [(folder, rank) for rank in range(3)])
    found: dict[str, list[Weights]] = {}
    for name, world in worlds.items():
        files = [folder / f"{name}.{rank}.pt" for rank in range(world.ranks)]
        loaded = [torch.load(file, weights_only=False) for file in files]
        assert [each["error"] for each in loaded] == [""] * world.ranks, name
        found[name] = [each["model"] for each in loaded]
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Weights]]:
    return run_worlds(tmp_path_factory.mktemp("growing"), WORLDS)


def mapping(weights: Weights) -> dict[str, list[int]]:
    return {name: t.tolist() for name, t in weights.items() if ".growing." in name}


@pytest.mark.parametrize("name", [name for name, world in WORLDS.items() if world.ranks > 1])
def test_all_ranks_have_the_same_rows_to_the_bit(runs: dict[str, list[Weights]], name: str) -> None:
    first, *others = runs[name]
    for other in others:
        assert all(torch.equal(value, first[key]) for key, value in other.items())


@pytest.mark.parametrize(
    ("alone", "name"),
    [
        *((f"{kind}_1", f"{kind}_{n}") for kind in ("lfu", "lru") for n in (2, 3)),
        ("distance_1", "distance_2"),
        ("large_1", "large_3"),
        ("lfu_1", "moved_2"),
        ("larger_1", "larger_2"),
        ("smaller_1", "smaller_2"),
    ],
)
def test_what_has_rows_does_not_depend_on_the_number_of_ranks(
    runs: dict[str, list[Weights]], alone: str, name: str
) -> None:
    expected, found = runs[alone][0], runs[name][0]
    assert mapping(found) == mapping(expected)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-5, atol=1e-5)


def test_ids_were_admitted_and_evicted(runs: dict[str, list[Weights]]) -> None:
    ids = mapping(runs["lfu_1"][0])["embeddings.growing.t_of_users.ids"]
    assert all(i >= 0 for i in ids[:-1])
    assert ids[-1] == -1
    lru = mapping(runs["lru_1"][0])["embeddings.growing.t_of_users.ids"]
    assert sorted(lru) != sorted(ids)
    # Five prices, of which none was met 30 times in one step.
    prices = mapping(runs["lfu_1"][0])["embeddings.growing.t_price.ids"]
    assert all(0 <= i < 5 for i in prices[:-1])


def test_tables_change_their_size_between_two_attempts(runs: dict[str, list[Weights]]) -> None:
    name = "embeddings.growing.t_of_users.ids"
    before, larger, smaller = (
        mapping(runs[f"{n}_1"][0])[name] for n in ("sized", "larger", "smaller")
    )
    assert [len(ids) for ids in (before, larger, smaller)] == [12, 20, 5]
    # What had a row in the smaller table had one in the larger one too.
    assert {*before[:-1]} < {*larger}
    assert sum(i >= 0 for i in smaller) == 4


def test_a_run_that_stopped_between_two_evictions_goes_on_bit_for_bit(
    runs: dict[str, list[Weights]],
) -> None:
    for rank in range(2):
        expected, found = runs["lfu_2"][rank], runs["resumed_2"][rank]
        assert all(torch.equal(found[key], value) for key, value in expected.items())
