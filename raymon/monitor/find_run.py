"""Finds the reporter of a custom training loop: in this process, or a Ray actor."""

from __future__ import annotations

import sys

from raymon.monitor.local_run import LocalRun
from raymon.monitor.run import MonitoredRun, RunSettings


def find_run(settings: RunSettings) -> MonitoredRun | None:
    """Finds or starts the reporter of this run.

    In a worker of Ray Train every rank has to call it.

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
    return LocalRun(settings)


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
