"""Whether the storage of the run works, is shared by all machines, and is fast."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.embeddings import size_text
from raymon.training.doctor.facts import Facts, StorageFacts
from raymon.training.doctor.problem import Problem

_SLOW_BYTES_PER_S = 50e6
_SLOW_S = 0.2
"""Seconds of a small file from which on storage is slow."""


def check_storage(facts: Facts) -> Iterator[Problem]:
    """Yields storage that fails, that not all machines share, or that is slow."""
    for there in facts.storage:
        if there.error is not None:
            yield Problem(
                "storage",
                f"{there.directory}: {there.error}",
                "give a model_dir that can be written to and read",
                there.host,
                is_fatal=True,
            )
        elif not there.is_shared:
            yield Problem(
                "storage",
                f"{there.directory} does not have there what the driver wrote to it",
                "give a model_dir that all machines share, such as NFS or object storage",
                there.host,
                is_fatal=True,
            )
        else:
            yield from _slow(there, facts)


def _slow(there: StorageFacts, facts: Facts) -> Iterator[Problem]:
    for what, rate in (("written", there.write_bytes_per_s), ("read", there.read_bytes_per_s)):
        if rate is None or rate >= _SLOW_BYTES_PER_S:
            continue
        cost = ""
        if facts.model is not None and rate > 0:
            size = facts.model.checkpoint_bytes
            cost = f": a checkpoint of {size_text(size)} takes {size / rate:,.0f} s"
        yield Problem(
            "storage",
            f"{there.directory} is {what} at {size_text(int(rate))}/s{cost}",
            "choose faster storage for model_dir, or save less often "
            "(train_config.save_checkpoints_steps)",
            there.host,
        )
    if there.small_write_s is not None and there.small_write_s >= _SLOW_S:
        yield Problem(
            "storage",
            f"{there.directory} takes {there.small_write_s:.2f} s for a small file",
            "choose storage that answers faster for model_dir; journal and lock wait for it",
            there.host,
        )
