"""Gathers the facts of the nodes of a Ray cluster."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from raymon.errors import ConfigError, first_line
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.doctor import (
    Facts,
    LinkFacts,
    Listener,
    Mark,
    NodeFacts,
    StorageFacts,
    look_for_mark,
    node_facts,
    send,
    with_refusal,
)
from raymon.training.on_ray.cluster import check_capacity

_STARTS_S = 60.0
"""Seconds within which the process of a node has to start and answer."""

_ANSWERS_S = 60.0
_ASKED = 5
_MOST_LINKS = 32
"""Links that are measured, a second each."""


class NodeProbe:
    """A process on one node of the cluster, which measures it."""

    def __init__(self, host: str, address: str) -> None:
        self._host = host
        self._address = address
        self._listener: Listener | None = None

    def facts(self) -> NodeFacts:
        """Returns the facts of the node."""
        return node_facts(self._host)

    def time(self) -> float:
        """Returns the time of its clock, in seconds since 1970."""
        return time.time()

    def look_for_mark(self, model_dir: str, mark: Mark) -> StorageFacts:
        """Returns what the node sees of the storage of the run."""
        return look_for_mark(model_dir, mark, self._host)

    def listen(self) -> tuple[str, int]:
        """Listens on a free port; returns its address and port."""
        if self._listener is None:
            self._listener = Listener(self._address)
        return self._listener.address

    def send(self, address: tuple[str, int]) -> float | str:
        """Sends bytes to another node; returns bytes a second, or why there is no connection."""
        return send(address)


@dataclass(frozen=True)
class _Node:
    """A node of the cluster, and the process that measures it."""

    host: str
    probe: Any


def facts_of_cluster(config: PipelineConfig | None, facts: Facts, mark: Mark | None) -> Facts:
    """Returns facts with those of all nodes of the cluster that this process is connected to.

    Args:
        config: Config of a run; None for none.
        facts: Facts of this machine and of the run.
        mark: What this machine wrote to the storage of the run; None if nothing.
    """
    nodes = [_start(node) for node in ray.nodes() if node["Alive"]]
    try:
        measured = [_measure(node) for node in nodes]
        there = [node for node, one in zip(nodes, measured, strict=True) if one.why_missing is None]
        facts = replace(
            facts,
            nodes=measured,
            is_cluster=True,
            taken_ports={},
            links=_links(there),
            storage=[*facts.storage, *_storage(there, config, mark)],
        )
    finally:
        for node in nodes:
            ray.kill(node.probe)
    if config is None or config.ray_config.num_workers == 0:
        return facts
    try:
        check_capacity(config.ray_config, facts.reads_by_ray)
    except ConfigError as error:
        return with_refusal(facts, error)
    return facts


def _start(node: dict[str, Any]) -> _Node:
    host, address = node["NodeManagerHostname"], node["NodeManagerAddress"]
    # Several nodes may be on one machine.
    name = f"{host} ({address}, {node['NodeID'][:8]})"
    here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    probe: Any = ray.remote(NodeProbe).options(num_cpus=0, scheduling_strategy=here)
    return _Node(name, probe.remote(name, address))


def _measure(node: _Node) -> NodeFacts:
    try:
        facts: NodeFacts = ray.get(node.probe.facts.remote(), timeout=_STARTS_S)
        offset_s, error_s = _clock(node.probe)
    except Exception as error:  # whatever a node may lack
        return NodeFacts(node.host, why_missing=_why(error))
    return replace(facts, clock_offset_s=offset_s, clock_error_s=error_s)


def _clock(probe: Any) -> tuple[float, float]:
    """Returns the seconds by which a clock is ahead of ours, and their largest error.

    The node reads its clock between our question and its answer; the quickest answer says most.
    """
    best: tuple[float, float] | None = None
    for _ in range(_ASKED):
        asked = time.time()
        read = float(ray.get(probe.time.remote(), timeout=_ANSWERS_S))
        answered = time.time()
        error = (answered - asked) / 2
        if best is None or error < best[1]:
            best = read - (asked + answered) / 2, error
    assert best is not None
    return best


def _links(nodes: Sequence[_Node]) -> list[LinkFacts]:
    """Measures from each node to the next, one after the other, and from the last to the first."""
    if len(nodes) < 2:
        return []
    return [_link(*pair) for pair in list(pairwise([*nodes, nodes[0]]))[:_MOST_LINKS]]


def _link(source: _Node, target: _Node) -> LinkFacts:
    try:
        address = ray.get(target.probe.listen.remote(), timeout=_ANSWERS_S)
        rate = ray.get(source.probe.send.remote(address), timeout=_ANSWERS_S)
    except Exception as error:  # whatever a node may lack
        rate = _why(error)
    if isinstance(rate, str):
        return LinkFacts(source.host, target.host, error=rate)
    return LinkFacts(source.host, target.host, rate)


def _storage(
    nodes: Sequence[_Node], config: PipelineConfig | None, mark: Mark | None
) -> list[StorageFacts]:
    if config is None or mark is None:
        return []
    found: list[StorageFacts] = []
    for node in nodes:
        try:
            # One after the other, so that none slows the next.
            asked = node.probe.look_for_mark.remote(config.model_dir, mark)
            found.append(ray.get(asked, timeout=_ANSWERS_S))
        except Exception as error:  # whatever a node may lack
            found.append(StorageFacts(node.host, config.model_dir, error=_why(error)))
    return found


def _why(error: Exception) -> str:
    if isinstance(error, ray.exceptions.GetTimeoutError):
        return f"no answer within {_ANSWERS_S:g} s"
    cause = getattr(error, "cause", None)
    return f"{type(error).__name__}: {first_line(cause if cause is not None else error)}"
