"""The assignment of tests to two processes."""

from __future__ import annotations

import os
from functools import cache

from xdist.scheduler import LoadFileScheduling

INTEGRATION = "tests/integration/"
"""These tests take the longest."""

CLUSTER = "tests on the shared Ray cluster"
CLUSTERS_OF_THEIR_OWN = (f"{INTEGRATION}test_client_of_ray.py",)


class ByFile(LoadFileScheduling):
    """A scheduler that keeps each file, and all tests that need the cluster, in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return CLUSTER if needs_cluster(nodeid) else str(super()._split_scope(nodeid))


def needs_cluster(nodeid: str) -> bool:
    """Returns whether a test needs the shared cluster."""
    return nodeid.startswith(INTEGRATION) and not nodeid.startswith(CLUSTERS_OF_THEIR_OWN)


@cache
def give_way() -> None:
    """Lowers the priority of this process, where it is one of several.

    The tests on the cluster end last, since they run one after the other, and wait half of their
    time for processes to start; the others fill the time that these leave.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.nice(5)
