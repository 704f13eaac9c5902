"""How tests are dealt to processes."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

CLUSTER = "tests/integration"
"""These tests share a Ray cluster, and take the longest."""


class ByFile(LoadFileScheduling):
    """The tests of a file go to one process, and to the same one all that need the cluster."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(f"{CLUSTER}/"):
            return CLUSTER
        return str(super()._split_scope(nodeid))
