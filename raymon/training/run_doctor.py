"""Looks for what will go wrong in a run, on this machine or on a Ray cluster."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from typing import Any

from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import absolute, storage_path
from raymon.training.doctor import (
    Facts,
    Problem,
    examine,
    facts_of_machine,
    facts_of_run,
    looked_at,
    try_storage,
)
from raymon.training.train import load_checked


@dataclass(frozen=True)
class Diagnosis:
    """What will go wrong, and what was measured.

    Attributes:
        facts: What was measured.
        problems: What is wrong, in the order of the checks.
    """

    facts: Facts
    problems: Sequence[Problem]

    @property
    def is_fatal(self) -> bool:
        """Whether the run will fail."""
        return any(problem.is_fatal for problem in self.problems)

    def to_json(self) -> dict[str, Any]:
        """Returns the diagnosis as a JSON object."""
        return {
            "scope": "cluster" if self.facts.is_cluster else "machine",
            "will_fail": self.is_fatal,
            "looked_at": sorted(looked_at(self.facts)),
            "problems": [problem.to_json() for problem in self.problems],
            "facts": asdict(self.facts),
        }


def diagnose(
    config_path: str | PathLike[str] | None = None,
    overrides: Sequence[str] = (),
    *,
    address: str | None = None,
) -> Diagnosis:
    """Measures machines, storage, network and data, and returns what will go wrong.

    Args:
        config_path: Path of the config of a run; None looks at machines alone.
        overrides: Overrides `field=value` of the config.
        address: Address of a Ray cluster; None takes RAY_ADDRESS, or looks at this machine alone.

    Raises:
        UserError: The config is wrong, or there is no cluster at the address.
    """
    config = None if config_path is None else load_checked(config_path, overrides)
    address = address or os.environ.get("RAY_ADDRESS")
    if address:
        # Imported only where it is needed: importing Ray takes seconds.
        from raymon.training.on_ray.cluster import connect

        connect(address)
    facts = facts_of_machine(config)
    mark = None
    if config is not None:
        config = _with_whole_path(config)
        facts = facts_of_run(facts, config)
        storage, mark = try_storage(storage_path(config.model_dir), platform.node())
        facts = replace(facts, storage=[storage])
    try:
        if address:
            from raymon.training.on_ray.doctor import facts_of_cluster

            facts = facts_of_cluster(config, facts, mark)
    finally:
        if mark is not None:
            mark.remove()
    return Diagnosis(facts, examine(facts))


def _with_whole_path(config: PipelineConfig) -> PipelineConfig:
    result = PipelineConfig()
    result.CopyFrom(config)
    result.model_dir = str(absolute(storage_path(config.model_dir)))
    return result
