"""A Ray cluster on this machine that deals out as many CPUs as a benchmark needs."""

from __future__ import annotations

import json
import os


def local_cluster(cpus: int | None = None) -> str:
    """Starts one that lives as long as this process.

    Args:
        cpus: As many as Ray deals out, however many the machine has; None: those that it has.

    Returns:
        Its address.
    """
    if cpus is not None:
        os.environ["RAY_OVERRIDE_RESOURCES"] = json.dumps({"CPU": cpus})
    # Ray reads its environment when it is imported.
    from raymon.training.on_ray.cluster import connect

    connect(None)
    import ray

    return str(ray.get_runtime_context().gcs_address)
