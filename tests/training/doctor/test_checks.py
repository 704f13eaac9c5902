"""What each check says of given facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.training.doctor import (
    CHECKS,
    DataFacts,
    Facts,
    GpuFacts,
    LinkFacts,
    ModelFacts,
    NodeFacts,
    Problem,
    StorageFacts,
    examine,
    looked_at,
    node_facts,
)

GB = 10**9
VERSIONS = {**node_facts().versions, "torchrec": None, "fbgemm": None}
NODE = NodeFacts(
    "a", VERSIONS, cpus=8, memory_bytes=64 * GB, shared_memory_bytes=32 * GB, open_files=65536
)
CARD = GpuFacts("H100", 80 * GB, 1 * GB, 0.0, "570.1")
STORAGE = StorageFacts("a", "/runs/x", True, 500 * GB, 1e9, 1e9, 0.002)
FINE = Facts(
    [NODE],
    workers=2,
    storage=[STORAGE],
    data=DataFacts("/data", [100_000] * 64, 64 * 10**8, 2, 1e6, 1e9),
    model=ModelFacts(4 * GB, 10**6),
)


def found(facts: Facts) -> list[Problem]:
    return examine(facts)


def of_node(**changes: Any) -> Facts:
    return replace(FINE, nodes=[replace(NODE, **changes)])


def cluster(*nodes: NodeFacts, **changes: Any) -> Facts:
    return replace(FINE, nodes=nodes, is_cluster=True, **changes)


def test_nothing_is_said_of_what_is_fine() -> None:
    assert found(FINE) == []
    assert found(cluster(NODE, replace(NODE, host="b", clock_offset_s=0.01))) == []


@pytest.mark.parametrize(
    ("facts", "check", "says", "fatal"),
    [
        (
            of_node(versions={**VERSIONS, "ray": "2.9.0"}),
            "versions",
            "ray 2.9.0 is not among those that raymon works with",
            True,
        ),
        (
            of_node(versions={**VERSIONS, "torchmetrics": None}),
            "versions",
            "torchmetrics is not installed",
            True,
        ),
        (
            of_node(versions={**VERSIONS, "torch": "2.13.0", "fbgemm": "1.2.0"}),
            "versions",
            "fbgemm 1.2.0 is not built for torch 2.13.0",
            False,
        ),
        (
            cluster(NODE, replace(NODE, host="b", versions={**VERSIONS, "python": "3.12.1"})),
            "versions",
            "python differs between machines: ",
            True,
        ),
        (
            cluster(NODE, NodeFacts("b", why_missing="ModuleNotFoundError: raymon")),
            "versions",
            "raymon does not run there: ModuleNotFoundError",
            True,
        ),
        (replace(FINE, workers=9), "workers", "9 workers on 8 CPUs", True),
        (replace(FINE, use_gpu=True), "gpus", "2 GPUs are needed, and 0 are there", True),
        (
            replace(of_node(gpus=[CARD, replace(CARD, busy=0.34)]), use_gpu=True),
            "gpus",
            "GPU 1, H100, is in use: 34% of the time",
            False,
        ),
        (
            replace(of_node(gpus=[CARD, replace(CARD, used_bytes=40 * GB)]), use_gpu=True),
            "gpus",
            "40 GB of 80 GB",
            False,
        ),
        (
            replace(of_node(gpus=[CARD, replace(CARD, name="A100")]), use_gpu=True),
            "gpus",
            "different models: A100 with 80 GB, H100 with 80 GB",
            False,
        ),
        (
            replace(FINE, storage=[replace(STORAGE, free_bytes=6 * GB)]),
            "disk",
            "/runs/x has 6 GB free",
            False,
        ),
        (replace(FINE, storage=[replace(STORAGE, free_bytes=3 * GB)]), "disk", "3 GB free", True),
        (
            replace(FINE, storage=[STORAGE, replace(STORAGE, host="b", is_shared=False)]),
            "storage",
            "/runs/x does not have there what the driver wrote",
            True,
        ),
        (
            replace(FINE, storage=[replace(STORAGE, error="cannot be written: full")]),
            "storage",
            "/runs/x: cannot be written: full",
            True,
        ),
        (
            replace(FINE, storage=[replace(STORAGE, write_bytes_per_s=10e6)]),
            "storage",
            "written at 10 MB/s: a checkpoint of 4 GB takes 400 s",
            False,
        ),
        (
            replace(FINE, storage=[replace(STORAGE, small_write_s=0.5)]),
            "storage",
            "takes 0.50 s for a small file",
            False,
        ),
        (
            of_node(shared_memory_bytes=64 * 10**6),
            "shared_memory",
            "/dev/shm has 64 MB, and Ray wants 19.2 GB",
            False,
        ),
        (of_node(open_files=1024), "open_files", "1,024 files open", False),
        (of_node(open_files=100), "open_files", "100 files open", True),
        (
            replace(FINE, taken_ports={"Ray's dashboard": 8265}),
            "ports",
            "port 8265, of Ray's dashboard, is taken",
            False,
        ),
        (of_node(ephemeral_ports=100), "ports", "there are 100 ports", False),
        (
            replace(FINE, links=[LinkFacts("a", "b", error="timed out")]),
            "ports",
            "a cannot connect to b: timed out",
            True,
        ),
        (
            of_node(clock_offset_s=-3.5, clock_error_s=0.1),
            "clocks",
            "its clock is 3.5 s behind",
            False,
        ),
        (of_node(clock_offset_s=900.0), "clocks", "900.0 s ahead of", True),
        (
            replace(FINE, links=[LinkFacts("a", "b", 12e6)]),
            "bandwidth",
            "a to b: 12 MB/s: exchanging 1 MB of gradients takes 0.167 s a step",
            False,
        ),
        (
            replace(FINE, links=[LinkFacts("a", "b", 1e9)], model=ModelFacts(GB, dense_bytes=GB)),
            "bandwidth",
            "takes 2 s a step",
            False,
        ),
        (
            replace(FINE, data=DataFacts("/data", [10**6], 10**9, 4, 1e6, 1e9)),
            "row_groups",
            "has 1 row groups for 4 streams",
            False,
        ),
        (
            replace(FINE, data=DataFacts("/data", [100] * 5000, 10**7, 4, 1e6, 1e9)),
            "row_groups",
            "has 5,000 row groups of 100 rows, 2 kB each",
            False,
        ),
        (
            replace(FINE, data=DataFacts("/data", [10**5] * 64, 64 * 10**8, 2, 9e4, 9e6)),
            "row_groups",
            "is read at 9 MB/s, 90,000 rows/s",
            False,
        ),
        (replace(FINE, refusals=[("no room", "add nodes")]), "config", "no room", True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_with_its_remedy(
    facts: Facts, check: str, says: str, fatal: bool
) -> None:
    (problem,) = found(facts)
    assert (problem.check, problem.is_fatal) == (check, fatal)
    assert says in problem.text
    assert problem.remedy
    assert "\n" not in problem.text + problem.remedy
    assert check in CHECKS


@given(st.floats(-1000, 1000), st.floats(0, 1000))
def test_a_clock_is_named_only_if_the_measurement_is_certain(offset: float, error: float) -> None:
    says = found(of_node(clock_offset_s=offset, clock_error_s=error))
    assert bool(says) == (abs(offset) - error >= 1)


def test_what_cannot_be_looked_at_is_not_called_fine() -> None:
    assert looked_at(Facts([NODE])) == {"versions", "shared_memory", "open_files", "ports"}
    assert {"disk", "storage", "row_groups", "config"} <= looked_at(FINE)


def test_a_run_in_one_process_needs_no_object_store() -> None:
    facts = of_node(shared_memory_bytes=None)
    assert [p.check for p in found(facts)] == ["shared_memory"]
    assert found(replace(facts, workers=0)) == []
