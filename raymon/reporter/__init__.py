"""Merges what all workers measured and publishes it; only `raymon.reporter.on_ray` imports Ray."""

from raymon.reporter.attempts import Attempts, closed
from raymon.reporter.in_process import InProcessReporter
from raymon.reporter.live.live_status import Status, StatusLink, live_status
from raymon.reporter.live.upkeep import Upkeep
from raymon.reporter.progress import NewsSource, Progress
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.reporter.store.last_step import last_step_kept

__all__ = [
    "Attempts",
    "Cursor",
    "InProcessReporter",
    "NewsSource",
    "Progress",
    "Reporter",
    "Status",
    "StatusLink",
    "Upkeep",
    "closed",
    "last_step_kept",
    "live_status",
]
