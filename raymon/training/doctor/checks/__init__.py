"""The checks: each is a function of facts, and yields what is wrong by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from raymon.training.doctor.checks.bandwidth import check_bandwidth
from raymon.training.doctor.checks.clocks import check_clocks
from raymon.training.doctor.checks.disk import check_disk
from raymon.training.doctor.checks.gpus import check_gpus
from raymon.training.doctor.checks.open_files import check_open_files
from raymon.training.doctor.checks.ports import check_ports
from raymon.training.doctor.checks.refusals import check_refusals
from raymon.training.doctor.checks.row_groups import check_row_groups
from raymon.training.doctor.checks.shared_memory import check_shared_memory
from raymon.training.doctor.checks.storage import check_storage
from raymon.training.doctor.checks.versions import check_versions
from raymon.training.doctor.checks.workers import check_workers
from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem

CHECKS: dict[str, Callable[[Facts], Iterator[Problem]]] = {
    "config": check_refusals,
    "versions": check_versions,
    "workers": check_workers,
    "gpus": check_gpus,
    "disk": check_disk,
    "storage": check_storage,
    "shared_memory": check_shared_memory,
    "open_files": check_open_files,
    "ports": check_ports,
    "clocks": check_clocks,
    "bandwidth": check_bandwidth,
    "row_groups": check_row_groups,
}
"""The checks by name, in the order in which they are shown."""


_NEED: dict[str, Callable[[Facts], bool]] = {
    "config": lambda facts: facts.workers is not None,
    "workers": lambda facts: bool(facts.workers),
    "gpus": lambda facts: facts.use_gpu or any(node.gpus for node in facts.nodes),
    "disk": lambda facts: facts.model is not None and bool(facts.storage),
    "storage": lambda facts: bool(facts.storage),
    "clocks": lambda facts: any(node.clock_offset_s is not None for node in facts.nodes),
    "bandwidth": lambda facts: bool(facts.links),
    "row_groups": lambda facts: facts.data is not None,
}
"""What a check needs to say anything; the others always can."""


def looked_at(facts: Facts) -> set[str]:
    """Returns the checks that had something to look at."""
    return {name for name in CHECKS if name not in _NEED or _NEED[name](facts)}


def examine(facts: Facts) -> list[Problem]:
    """Returns all that is wrong by some facts, in the order of the checks."""
    return [problem for check in CHECKS.values() for problem in check(facts)]
