"""Finds the reporter of a custom training loop: in this process, its first rank, or an actor."""

from __future__ import annotations

import logging
import sys

from raymon.monitor.group_run import FirstRank, OtherRank
from raymon.monitor.launchers import process_count, process_rank
from raymon.monitor.local_run import LocalRun
from raymon.monitor.meeting import can_meet
from raymon.monitor.run import MonitoredRun, RunSettings

_log = logging.getLogger("raymon")


def find_run(settings: RunSettings) -> MonitoredRun | None:
    """Finds or starts the reporter of this run.

    In a worker of Ray Train, and in a process group, every rank has to call it.

    Args:
        settings: What is measured, and where it goes.

    Returns:
        This rank with its connection to the reporter; None if the reporter cannot be reached.

    Raises:
        UserError: `model_dir` cannot be written to, or another run writes to it.
    """
    if in_ray_train():
        from raymon.monitor.ray_run import join_ray_run

        return join_ray_run(settings)
    rank, world_size = process_rank(), process_count()
    if world_size == 1:
        return LocalRun(settings)
    if not can_meet():
        if rank == 0:
            _log.warning(
                "%d processes train together without a process group: these numbers are those of "
                "rank 0 alone; make the monitor after init_process_group",
                world_size,
            )
        return LocalRun(settings)
    return FirstRank(settings, world_size) if rank == 0 else OtherRank(settings, rank, world_size)


def in_ray_train() -> bool:
    """Returns whether Ray Train started this process as a worker."""
    # A worker has imported ray.train; no other process should have to.
    train = sys.modules.get("ray.train")
    if train is None:
        return False
    try:
        return train.get_context().get_storage() is not None
    except Exception:  # not in a worker, or in a worker inside the driver's process
        return False
