"""Whether the machines have room for the workers."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem


def check_workers(facts: Facts) -> Iterator[Problem]:
    """Yields whether there are more workers than CPUs on this machine.

    What a cluster has room for, Ray says: that is among the refusals.
    """
    if facts.is_cluster or not facts.workers:
        return
    cpus = sum(node.cpus for node in facts.nodes)
    if facts.workers > cpus:
        yield Problem(
            "workers",
            f"{facts.workers} workers on {cpus} CPUs",
            f"set ray_config.num_workers to {cpus} or less, or give --address of a cluster",
            is_fatal=True,
        )
