"""The Python stacks of a process on any node of the cluster, and the end of such a process."""

from __future__ import annotations

from raymon.errors import reason
from raymon.training.on_ray.nodes import call_on_node
from raymon.training.rank.processes import kill_process
from raymon.training.rank.stacks import StackDump, take_stacks

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
        taken: StackDump = call_on_node(node_id, take_stacks, (pid,), timeout_s)
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
        why: str | None = call_on_node(node_id, kill_process, (pid,), timeout_s)
        return why
    except Exception as error:
        return reason(error)
