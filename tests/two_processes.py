"""The assignment of tests to two processes."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

CLUSTER = "tests/integration"
"""These tests share a Ray cluster, and take the longest."""


class ByFile(LoadFileScheduling):
    """A scheduler that keeps each file, and all tests that need the cluster, in one process."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(f"{CLUSTER}/"):
            return CLUSTER
        return str(super()._split_scope(nodeid))
