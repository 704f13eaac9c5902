"""A Ray cluster on this machine with as many CPUs as a benchmark needs."""

from __future__ import annotations

import json
import os


def local_cluster(cpus: int | None = None) -> str:
    """Starts a cluster that lives as long as this process.

    Args:
        cpus: Number of CPUs that Ray gives out, however many the machine has; None for those that
            the machine has.

    Returns:
        Address of the cluster.
    """
    if cpus is not None:
        os.environ["RAY_OVERRIDE_RESOURCES"] = json.dumps({"CPU": cpus})
    # Imported here: Ray reads its environment at import.
    from raymon.training.on_ray.cluster import connect

    connect(None)
    import ray

    return str(ray.get_runtime_context().gcs_address)
