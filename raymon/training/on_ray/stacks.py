"""The Python stacks of a process on any node of the cluster, and the end of such a process."""

from __future__ import annotations

from typing import Any, TypeVar

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from raymon.errors import reason
from raymon.training.rank.processes import kill_process
from raymon.training.rank.stacks import StackDump, take_stacks

T = TypeVar("T")

_TAKE_S = 45.0
"""Seconds that a node has to take stacks: most of it for the start of a process of Ray."""


def take_stacks_on(node_id: str, pid: int, timeout_s: float = _TAKE_S) -> StackDump:
    """Returns the stacks of a process on a node, as `take_stacks` does there.

    Args:
        node_id: Id of the node in Ray.
        pid: Id of the process on that node.
        timeout_s: Seconds after which there are none.
    """
    try:
        taken: StackDump = _on_node(node_id, take_stacks, (pid,), timeout_s)
        return taken
    except Exception as error:  # the node may be gone, and whatever else
        return StackDump(f"no stacks of process {pid} on node {node_id[:8]}: {reason(error)}", "")


def kill_on(node_id: str, pid: int, timeout_s: float = _TAKE_S) -> str | None:
    """Ends a process on a node by SIGKILL, also one that is stopped.

    Args:
        node_id: Id of the node in Ray.
        pid: Id of the process on that node, which has to be a worker of Ray.
        timeout_s: Seconds that it may take.

    Returns:
        Why it could not be done; None if it was.
    """
    try:
        why: str | None = _on_node(node_id, kill_process, (pid,), timeout_s)
        return why
    except Exception as error:
        return reason(error)


def _on_node(node_id: str, function: Any, arguments: tuple[Any, ...], timeout_s: float) -> Any:
    task = ray.remote(function).options(
        num_cpus=0,
        max_retries=0,
        # Not elsewhere if the node is gone.
        scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
    )
    called = task.remote(*arguments)
    try:
        return ray.get(called, timeout=timeout_s)
    except ray.exceptions.GetTimeoutError:
        ray.cancel(called, force=True)
        raise TimeoutError(f"no answer for {timeout_s:g} s") from None
