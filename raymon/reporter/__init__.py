"""Merges what all workers measured and publishes it; only `raymon.reporter.on_ray` imports Ray."""

from raymon.reporter.in_process import InProcessReporter
from raymon.reporter.progress import NewsSource, Progress
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.reporter.store.last_step import last_step_kept

__all__ = ["Cursor", "InProcessReporter", "NewsSource", "Progress", "Reporter", "last_step_kept"]
