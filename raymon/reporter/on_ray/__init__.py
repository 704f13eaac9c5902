"""The reporter as Ray actors, and the channels to them."""

from raymon.reporter.on_ray.node_actor import TreeReporter
from raymon.reporter.on_ray.ray_reporter import (
    RayReporter,
    named_runs,
    reporter_of,
    start_reporter,
)

__all__ = ["RayReporter", "TreeReporter", "named_runs", "reporter_of", "start_reporter"]
