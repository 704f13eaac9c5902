"""The actors of the reporter, and the way to them."""

from raymon.reporter.on_ray.node_actor import TreeReporter
from raymon.reporter.on_ray.ray_reporter import RayReporter, reporter_of, start_reporter

__all__ = ["RayReporter", "TreeReporter", "reporter_of", "start_reporter"]
