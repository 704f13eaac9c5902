"""Calls of functions on a node of the cluster."""

from __future__ import annotations

from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


def call_on_node(node_id: str, function: Any, arguments: tuple[Any, ...], timeout_s: float) -> Any:
    """Returns what a function returns on a node, in a process of its own.

    Args:
        node_id: Id of the node in Ray.
        function: The function.
        arguments: Its arguments.
        timeout_s: Seconds that it may take; most of it goes into the start of the process.

    Raises:
        TimeoutError: It took longer.
        ray.exceptions.RayError: The node is gone.
    """
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
