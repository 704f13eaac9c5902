"""Where a run looks for its cluster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import ray

from raymon.errors import ConfigError, RunError
from raymon.protos.ray_pb2 import RayConfig
from raymon.training.on_ray import cluster
from raymon.training.on_ray.cluster import check_capacity, connect


@pytest.mark.parametrize("given", ["--address auto", "RAY_ADDRESS=auto"])
def test_a_cluster_of_this_machine_that_is_not_there_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    def nobody(*_: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nAnd a page more.")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray._private.services, "canonicalize_bootstrap_address", nobody)
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(RunError) as told:
        connect("auto" if given.startswith("--") else None)
    assert str(told.value).startswith(f"{given}: no Ray cluster there: ConnectionError: Could not")
    assert "\n" not in str(told.value)


REFUSED = """Initialization failure from server:
Traceback (most recent call last):
  File "proxier.py", line 710, in Datapath
RuntimeError: Starting Ray client server failed. See ray_client_server_23000.err.
"""


def test_a_client_whom_a_busy_head_does_not_answer_in_time_asks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def init(address: str, **_: Any) -> Any:
        asked.append(address)
        if len(asked) == 1:
            raise ConnectionError("ray client connection timeout")
        return SimpleNamespace(dashboard_url="127.0.0.1:8265")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(cluster, "probe", lambda *_: None)
    monkeypatch.setattr(cluster, "_CLIENT_PAUSES_S", (0.0, 0.0))
    assert connect("ray://head:10001").dashboard is not None
    assert len(asked) == 2


@pytest.mark.parametrize("failures", [1, 100])
def test_a_client_that_a_new_head_cannot_take_yet_asks_again_and_says_why_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    asked: list[str] = []

    def init(address: str, **_: Any) -> Any:
        asked.append(address)
        if len(asked) <= failures:
            raise ConnectionAbortedError(REFUSED)
        return SimpleNamespace(dashboard_url="127.0.0.1:8265")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(cluster, "probe", lambda *_: None)
    monkeypatch.setattr(cluster, "_CLIENT_PAUSES_S", (0.0, 0.0))
    if failures == 1:
        assert connect("ray://head:10001").dashboard is not None
        assert len(asked) == 2
        return
    with pytest.raises(RunError) as told:
        connect("ray://head:10001")
    assert len(asked) == 3
    assert str(told.value) == (
        "--address ray://head:10001: no Ray cluster there: ConnectionAbortedError: Initialization "
        "failure from server: RuntimeError: Starting Ray client server failed. See "
        "ray_client_server_23000.err."
    )


def node(name: str, alive: bool = True, **resources: float) -> dict[str, Any]:
    """A node as `ray.nodes` lists it."""
    return {
        "NodeManagerHostname": name,
        "NodeManagerAddress": f"address-of-{name}",
        "Alive": alive,
        "Resources": resources,
    }


def why_not(monkeypatch: pytest.MonkeyPatch, config: RayConfig, *nodes: dict[str, Any]) -> str:
    monkeypatch.setattr(ray, "nodes", lambda: list(nodes))
    with pytest.raises(ConfigError) as told:
        check_capacity(config, data_by_ray=False)
    return str(told.value)


def test_a_cluster_without_gpus_is_told_node_by_node(monkeypatch: pytest.MonkeyPatch) -> None:
    config = RayConfig(num_workers=2, use_gpu=True)
    nodes = (node("a", CPU=8.0), node("b", CPU=4.0), node("c", alive=False, CPU=4.0, GPU=8.0))
    assert why_not(monkeypatch, config, *nodes) == (
        "ray_config.use_gpu: no node of the cluster has a GPU: a (address-of-a) has 8 CPU, 0 GPU, "
        "b (address-of-b) has 4 CPU, 0 GPU; leave it out, or start Ray where there is one"
    )


def test_more_workers_than_gpus_are_told_with_where_these_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = RayConfig(num_workers=4, use_gpu=True)
    nodes = (node("a", CPU=8.0), node("b", CPU=4.0, GPU=2.0), node("c", CPU=1.0, GPU=4.0))
    # One CPU allows one worker on c.
    assert why_not(monkeypatch, config, *nodes) == (
        "ray_config.num_workers: 4 workers with 1 CPU, 1 GPU each do not fit; the cluster has 13 "
        "CPU, 6 GPU on 3 nodes, room for 3: c (address-of-c) has 1 CPU, 4 GPU, b (address-of-b) "
        "has 4 CPU, 2 GPU, a (address-of-a) has 8 CPU, 0 GPU"
    )
    check_capacity(RayConfig(num_workers=3, use_gpu=True), data_by_ray=False)


def test_of_many_nodes_those_with_most_gpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node(f"n{i}", CPU=4.0, GPU=1.0) for i in range(20)]
    told = why_not(monkeypatch, RayConfig(num_workers=40, use_gpu=True), *nodes)
    assert told.count("address-of-") == 8
    assert told.endswith(", and 12 more nodes no more than that")
