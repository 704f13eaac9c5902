"""A Ray cluster on this machine, for benchmarks in which something runs beside the workers."""

from __future__ import annotations

import logging

# Sets what Ray reads when it is imported, so it comes first.
from raymon.training.ray_cluster import connect  # isort: skip
import ray


def local_cluster(cpus: int) -> str:
    """Starts one that lives as long as this process.

    Args:
        cpus: As many as Ray deals out, however many the machine has.

    Returns:
        Its address.
    """
    context = ray.init(
        address="local",
        num_cpus=cpus,
        configure_logging=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    for name in ("ray", "ray.train", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    connect(None)
    return str(context.address_info["address"])
