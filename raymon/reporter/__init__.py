"""Merges what all workers measured and publishes it; only `raymon.reporter.on_ray` imports Ray."""

from raymon.reporter.attempts import Attempts, closed
from raymon.reporter.in_process import InProcessReporter
from raymon.reporter.live.live_file import LIVE_FILE
from raymon.reporter.live.live_status import Status, StatusLink, live_status
from raymon.reporter.live.run_file import RunFile, RunLink
from raymon.reporter.live.session import Session, find_session
from raymon.reporter.live.summary import (
    Summary,
    begin_summary,
    newest_numbers,
    with_counts,
)
from raymon.reporter.live.upkeep import Upkeep
from raymon.reporter.live.with_verdict import with_verdict
from raymon.reporter.progress import Listener, NewsSource, Progress
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.reporter.store.last_step import last_step_kept

__all__ = [
    "LIVE_FILE",
    "Attempts",
    "Cursor",
    "InProcessReporter",
    "Listener",
    "NewsSource",
    "Progress",
    "Reporter",
    "RunFile",
    "RunLink",
    "Session",
    "Status",
    "StatusLink",
    "Summary",
    "Upkeep",
    "begin_summary",
    "closed",
    "find_session",
    "last_step_kept",
    "live_status",
    "newest_numbers",
    "with_counts",
    "with_verdict",
]
