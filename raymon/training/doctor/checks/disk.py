"""Whether the disk of the run has room for its checkpoints."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.embeddings import size_text
from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem

_OTHER_BYTES = 1_000_000_000
"""Bytes that a run takes apart from its checkpoints: logs, curves, an export."""


def check_disk(facts: Facts) -> Iterator[Problem]:
    """Yields whether the checkpoints that are kept, and the next one, do not fit."""
    if facts.model is None:
        return
    size, kept = facts.model.checkpoint_bytes, facts.keeps_checkpoints
    needed = size * (kept + 1) + _OTHER_BYTES
    for there in facts.storage[:1]:
        if there.free_bytes is None or there.free_bytes >= needed:
            continue
        yield Problem(
            "disk",
            f"{there.directory} has {size_text(there.free_bytes)} free; {kept} checkpoints that "
            f"are kept and one that is written take {size_text(size * (kept + 1))}",
            "free space, choose another model_dir, or lower train_config.keep_checkpoint_max",
            there.host,
            is_fatal=there.free_bytes < size,
        )
