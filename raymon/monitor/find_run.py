"""The reporter of a run whose loop is not raymon's own."""

from __future__ import annotations

import sys

from raymon.monitor.local_run import LocalRun
from raymon.monitor.run import OpenRun, RunSettings


def open_run(settings: RunSettings) -> OpenRun | None:
    """Finds or starts the reporter of this run; None where it cannot be reached.

    In a worker of Ray Train every rank has to call it.

    Raises:
        UserError: `model_dir` cannot be written to, or is written to by another run.
    """
    if in_ray_train():
        from raymon.monitor.ray_run import open_ray_run

        return open_ray_run(settings)
    return LocalRun(settings)


def in_ray_train() -> bool:
    """Whether this process is a worker that Ray Train started."""
    # A worker has imported it; nobody else should have to.
    train = sys.modules.get("ray.train")
    if train is None:
        return False
    try:
        return train.get_context().get_storage() is not None
    except Exception:  # outside of a worker, and in one that is no process of its own
        return False
