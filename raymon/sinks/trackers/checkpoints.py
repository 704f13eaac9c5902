"""How trackers get the checkpoints of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from raymon.errors import UserError
from raymon.results import CheckpointSaved
from raymon.sinks.trackers.client import Memory

LINK, ARTIFACT, NONE = "LINK", "ARTIFACT", "NONE"

_ALL = (LINK, ARTIFACT, NONE)

_NEWEST = 10
"""Checkpoints that a tracker links to; a run keeps few."""


def remembered(memory: Memory, checkpoint: CheckpointSaved) -> Memory:
    """Returns a memory that has a checkpoint too, and those that were made before it."""
    found = {**memory.checkpoints, str(checkpoint.step): str(checkpoint.path)}
    until = {step: path for step, path in found.items() if int(step) <= checkpoint.step}
    newest = sorted(until.items(), key=lambda item: int(item[0]))[-_NEWEST:]
    return replace(memory, checkpoints=dict(newest))


def check_log_checkpoints(given: str, allowed: Sequence[str] = _ALL) -> None:
    """Checks what a tracker is to get of checkpoints.

    Raises:
        UserError: There is no such choice.
    """
    if given not in allowed:
        raise UserError(f'log_checkpoints is "{given}"; must be one of {", ".join(allowed)}')
