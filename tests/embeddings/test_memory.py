from __future__ import annotations

from pathlib import Path

import psutil
import pytest
import torch
from google.protobuf import text_format

from raymon.data import EmbeddingSpec
from raymon.embeddings import (
    Capacity,
    EmbeddingCollection,
    EmbeddingTable,
    StateNumbers,
    TableMemory,
    TableShape,
    memory_limit,
    sharded_tables,
    size_text,
    state_numbers,
    table_memory,
    table_shapes,
    why_not_fit,
)
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.optim.optimizers import build_optimizer
from raymon.training.optim.row_optimizers import build_row_optimizer
from raymon.training.optim.table_gradients import TableGradients

SPARSE = [field.name for field in TrainConfig().sparse_optimizer.DESCRIPTOR.oneofs[0].fields]
DENSE = [field.name for field in TrainConfig().dense_optimizer.DESCRIPTOR.oneofs[0].fields]


def config(text: str) -> TrainConfig:
    return text_format.Parse(text, TrainConfig())


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Returns the bytes of the states of an optimizer, without counts of steps."""
    states = optimizer.state_dict()["state"].values()
    return sum(v.nbytes for own in states for v in own.values() if v.dim() > 0)


@pytest.mark.parametrize("data_type", ["FP32", "FP16"])
@pytest.mark.parametrize("kind", SPARSE)
def test_states_of_tables_are_those_that_their_optimizer_makes(kind: str, data_type: str) -> None:
    train = config(f"sparse_optimizer {{ {kind} {{}} }} dense_optimizer {{ adam_optimizer {{}} }}")
    spec = EmbeddingSpec("t", 50, 6, data_type="FP16" if data_type == "FP16" else "FP32")
    tables = EmbeddingCollection({"f": spec})
    (shape,) = table_shapes(tables)
    made = [m for m in tables.modules() if isinstance(m, EmbeddingTable)]
    gradients = TableGradients(made)
    optimizer = build_row_optimizer(train.sparse_optimizer, gradients.tables)
    optimizer.step()
    memory = table_memory(shape, state_numbers(train))
    assert memory.states == state_bytes(optimizer)
    assert memory.rows == next(tables.parameters()).nbytes


@pytest.mark.parametrize("momentum", [0, 0.9])
@pytest.mark.parametrize("kind", DENSE)
def test_states_of_tables_that_the_dense_optimizer_trains(kind: str, momentum: float) -> None:
    of_sgd = f"momentum: {momentum}" if kind == "sgd_optimizer" else ""
    train = config(f"dense_optimizer {{ {kind} {{ {of_sgd} }} }}")
    tables = EmbeddingCollection({"f": EmbeddingSpec("t", 50, 6)})
    (parameter,) = tables.parameters()
    optimizer = build_optimizer(train.dense_optimizer, [parameter])
    parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    memory = table_memory(table_shapes(tables)[0], state_numbers(train), has_gradient=True)
    assert memory.states == state_bytes(optimizer)
    assert memory.gradients == parameter.grad.nbytes + 50


def test_tables_of_a_model_are_known_without_memory_for_them() -> None:
    with torch.device("meta"):
        tables = EmbeddingCollection(
            {
                "a": EmbeddingSpec("a", 2**40, 16, data_type="BF16"),
                "b": EmbeddingSpec("b", 7, 3, trainable=False),
                "again": EmbeddingSpec("a", 2**40, 16, data_type="BF16"),
            }
        )
    assert table_shapes(tables) == [
        TableShape("tables.t_a", 2**40, 16, "BF16"),
        TableShape("tables.t_b", 7, 3, trainable=False),
    ]


def test_tables_that_can_be_sharded_are_known() -> None:
    specs = {
        "a": EmbeddingSpec("a", 2**40, 16, data_type="FP16", trainable=False),
        "b": EmbeddingSpec("b", 7, 3),
        "c": EmbeddingSpec("c", 7, 4, sharding_types=("data_parallel",)),
    }
    with torch.device("meta"), sharded_tables():
        tables = EmbeddingCollection(specs)
    assert table_shapes(tables) == [
        TableShape("tables.t_a", 2**40, 16, "FP16", trainable=False, shardable=True),
        TableShape("tables.t_b", 7, 3),
        TableShape("tables.t_c", 7, 4),
    ]


def test_a_worker_pays_for_the_parts_that_it_holds() -> None:
    shape = TableShape("t", 1000, 8, "FP16")
    parts = [(100, 8), (1000, 2)]
    memory = table_memory(shape, StateNumbers(1, 1), parts)
    assert memory == TableMemory("t", 2 * 2800, 4 * (2800 + 1100))
    frozen = table_memory(TableShape("t", 1000, 8, trainable=False), StateNumbers(2), parts)
    assert frozen == TableMemory("t", 4 * 2800)


def test_what_does_not_fit_says_how_much_there_is_and_what_takes_most() -> None:
    needed = [TableMemory(f"t{n}", n * 10**9, states=10**9, staging=5 * 10**8) for n in range(1, 6)]
    there = Capacity(12 * 10**9, "24 GB of memory for 2 workers")
    assert why_not_fit(needed, 0, Capacity(22_500_000_000, "all"), {}) is None
    assert why_not_fit(needed, 10**9, there, {"little": 12 * 10**9, "less": 10**12}) == (
        "a worker needs 23.5 GB and has 12 GB (24 GB of memory for 2 workers): "
        "t5 6.5 GB (rows 5 GB + optimizer states 1 GB + copy for a save 500 MB), "
        "t4 5.5 GB (rows 4 GB + optimizer states 1 GB + copy for a save 500 MB), "
        "t3 4.5 GB (rows 3 GB + optimizer states 1 GB + copy for a save 500 MB), "
        "2 more 6 GB, the process itself 1 GB; it would fit with little (12 GB a worker)"
    )
    nothing = why_not_fit(needed, 10**9, there, {"less": 10**12})
    assert nothing is not None
    assert nothing.endswith("; give the tables fewer rows")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"), (999, "999 bytes"), (1280, "1.28 kB"), (640_000_000, "640 MB"),
        (12_812_000_000, "12.8 GB"), (5 * 10**15, "5,000 TB"),
    ],
)  # fmt: skip
def test_sizes_are_readable(size: int, text: str) -> None:
    assert size_text(size) == text


def cgroups(folder: Path, own: str, **files: str) -> int:
    (folder / "own").write_text(own)
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_max", ".max")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return memory_limit(folder, folder / "own")


def test_the_limit_is_the_smallest_of_the_groups_around_the_process(tmp_path: Path) -> None:
    machine = int(psutil.virtual_memory().total)
    assert memory_limit(tmp_path, tmp_path / "none") == machine
    two = {"a__memory_max": "max\n", "a__b__memory_max": "4096000\n", "a__c__memory_max": "1\n"}
    assert cgroups(tmp_path, "0::/a/b\n", **two) == 4_096_000
    assert cgroups(tmp_path, "0::/a\n") == machine
    assert cgroups(tmp_path, "0::/../x\n", memory_max="5000000") == 5_000_000


def test_groups_of_version_1_have_limits_too(tmp_path: Path) -> None:
    file = tmp_path / "memory" / "docker" / "memory.limit_in_bytes"
    file.parent.mkdir(parents=True)
    file.write_text("123456789\n")
    assert cgroups(tmp_path, "9:cpu,cpuacct:/docker\n4:memory:/docker\n") == 123_456_789
    file.write_text("9223372036854771712\n")
    assert cgroups(tmp_path, "4:memory:/docker\n") == int(psutil.virtual_memory().total)
