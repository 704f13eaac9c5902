"""Looks for what will go wrong in a run before it starts: facts are measured, then checked."""

from raymon.training.doctor.checks import CHECKS, examine, looked_at
from raymon.training.doctor.facts import (
    DataFacts,
    Facts,
    GpuFacts,
    LinkFacts,
    ModelFacts,
    NodeFacts,
    StorageFacts,
)
from raymon.training.doctor.local import facts_of_machine, facts_of_run, with_refusal
from raymon.training.doctor.probes.link import Listener, send
from raymon.training.doctor.probes.node import node_facts
from raymon.training.doctor.probes.storage import Mark, look_for_mark, try_storage
from raymon.training.doctor.problem import Problem

__all__ = [
    "CHECKS",
    "DataFacts",
    "Facts",
    "GpuFacts",
    "LinkFacts",
    "Listener",
    "Mark",
    "ModelFacts",
    "NodeFacts",
    "Problem",
    "StorageFacts",
    "examine",
    "facts_of_machine",
    "facts_of_run",
    "look_for_mark",
    "looked_at",
    "node_facts",
    "send",
    "try_storage",
    "with_refusal",
]
