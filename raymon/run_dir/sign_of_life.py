"""A lease that excludes nobody: it only says that a run is alive."""

from __future__ import annotations

import threading
from contextlib import suppress

import pyarrow as pa

from raymon.errors import RunError
from raymon.run_dir.lease import LOCK, Lease, read_lease
from raymon.storage import StoragePath, write_whole

_BEAT_S = 5.0
"""Seconds between two signs of life."""


class SignOfLife:
    """Keeps the lease of a run in its directory, whose place in it something else grants.

    Args:
        directory: Directory of the run.
    """

    def __init__(self, directory: StoragePath) -> None:
        self._directory = directory
        self._lease = Lease()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="raymon-alive", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Removes the lease, unless it is that of another run; a second call does nothing."""
        if self._over.is_set():
            return
        self._over.set()
        self._thread.join()
        with suppress(OSError, pa.ArrowException, RunError):
            found = read_lease(self._directory)
            if found is not None and found.run == self._lease.run:
                (self._directory / LOCK).unlink()

    def _work(self) -> None:
        while not self._over.is_set():
            self._lease = self._lease.next_beat()
            # Storage that fails is told by those whose files matter more.
            with suppress(OSError, pa.ArrowException, RunError):
                write_whole(self._directory / LOCK, self._lease.to_bytes(), durable=False)
            self._over.wait(_BEAT_S)
