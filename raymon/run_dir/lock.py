"""A lock, so that one run at a time writes to a directory.

On a file system of this machine it is a lock of the kernel, which is released when the process
ends, for whatever reason. On object storage and between machines, where kernel locks do not work, a
run counts as alive while its lease changes.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from raymon.errors import RunError, first_line, os_reason, reason
from raymon.run_dir.lease import LOCK, Lease, read_lease
from raymon.run_dir.model_dir import check_writable
from raymon.storage import StoragePath

_log = logging.getLogger("raymon")

_BEAT_S = 5.0
"""Seconds between two signs of life."""

_WATCH_S = 30.0
"""Seconds without a sign of life after which a run is over."""

_SETTLE_S = 1.0
"""Seconds in which another run may have begun at the same time; the last one to write wins."""

_LOOK_S = 0.2

_HELD = {errno.EWOULDBLOCK, errno.EACCES}


class RunLock:
    """A lock of the directory of a run, held until it is released.

    The directory is made if it does not exist.

    Args:
        directory: Directory of the run.

    Raises:
        RunError: Another run writes to it, or it cannot be written to. It is left unchanged.
    """

    def __init__(self, directory: StoragePath) -> None:
        self._directory = directory
        self._process = os.getpid()
        self._lease = Lease()
        self._file: int | None = None
        self._is_locked = False
        self._made: list[Path] = []
        self._lost = False
        check_writable(directory)
        try:
            if isinstance(directory, Path):
                self._take(directory)
            self._wait_for_another_run()
            self._write()
            if not self._is_locked:
                time.sleep(_SETTLE_S)
                self._check_owner()
        except (pa.ArrowException, OSError) as error:
            self._clean_up()
            raise RunError(f"{directory}: cannot be written: {_why(error)}") from None
        except BaseException:
            self._clean_up()
            raise
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="raymon-lock", daemon=True)
        self._thread.start()
        _held.add(self)

    def release(self) -> None:
        """Lets another run have the directory; a second call does nothing."""
        # The copy in a forked process holds nothing.
        if self._process != os.getpid() or self._over.is_set():
            return
        self._over.set()
        self._thread.join()
        self._clean_up()

    def __enter__(self) -> RunLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _take(self, directory: Path) -> None:
        self._make(directory)
        while True:
            self._file = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if not self._has_lock(self._file):
                self.close_file()
                raise self._refusal(read_lease(directory))
            if _is_the_file(self._file, directory / LOCK):
                break
            # The run that was here removed the file in between.
            os.close(self._file)

    def _make(self, directory: Path) -> None:
        self._made = [p for p in (directory, *directory.parents) if not p.exists()]
        directory.mkdir(parents=True, exist_ok=True)

    def _has_lock(self, file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._is_locked = True
        except OSError as error:
            # Any other error: a file system without locks, where the lease has to suffice.
            return error.errno not in _HELD
        return True

    def _wait_for_another_run(self) -> None:
        """Waits to see whether another run is alive whose lock cannot be seen from here.

        Raises:
            RunError: Another run is alive.
        """
        found = read_lease(self._directory)
        if found is None or found.is_over:
            return
        if self._is_locked and found.is_of_this_system:
            return
        _log.info(
            "%s: a run (%s) has not said that it is over; it is if nothing is heard of it for %g s",
            self._directory,
            found,
            _WATCH_S,
        )
        deadline = time.monotonic() + _WATCH_S
        while time.monotonic() < deadline:
            time.sleep(_LOOK_S)
            now = read_lease(self._directory)
            if now is None:
                return
            if now != found:
                raise self._refusal(now)

    def _refusal(self, other: Lease | None) -> RunError:
        who = f" ({other})" if other is not None else ""
        return RunError(
            f"{self._directory}: another run is writing to it{who}; stop that first, or choose "
            "another model_dir"
        )

    def _write(self) -> None:
        self._lease = self._lease.next_beat()
        if self._file is None:
            (self._directory / LOCK).write_bytes(self._lease.to_bytes())
        else:
            os.pwrite(self._file, self._lease.to_bytes(), 0)

    def _is_owner(self) -> bool:
        found = read_lease(self._directory)
        # Without a lease the file is empty; this run has its lock, so it has just made it.
        return self._file is not None if found is None else found.run == self._lease.run

    def _check_owner(self) -> None:
        found = read_lease(self._directory)
        if found is not None and found.run != self._lease.run:
            raise self._refusal(found)

    def _keep_alive(self) -> None:
        while not self._over.wait(_BEAT_S):
            try:
                self._beat()
            except (OSError, pa.ArrowException, RunError) as error:
                # A run that cannot write here cannot write a checkpoint either, which is reported.
                _log.debug("%s: no sign of life: %s", self._directory, reason(error))

    def _beat(self) -> None:
        found = read_lease(self._directory)
        if found is not None and found.run != self._lease.run:
            if not self._lost:
                _log.error("%s, and this one too; stop one of them", self._of_two(found))
            self._lost = True
        elif found is not None:
            self._write()
        elif self._directory.is_dir():
            # Somebody removed the directory, and the next checkpoint made it again: take it again.
            if isinstance(self._directory, Path):
                self.close_file()
                self._take(self._directory)
            self._write()

    def _of_two(self, other: Lease) -> str:
        return f"{self._directory}: another run is writing to it ({other})"

    def _clean_up(self) -> None:
        """Removes what this run has made, unless something else is in it, and releases the lock."""
        with suppress(OSError, pa.ArrowException, RunError):
            if self._is_owner():
                # While the lock is held: a run that opened the file before sees that it is gone.
                (self._directory / LOCK).unlink()
        self.close_file()
        for path in self._made:
            with suppress(OSError):
                path.rmdir()

    def close_file(self) -> None:
        """Closes the file without removing it; called in forked processes, which have a copy."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


_held: weakref.WeakSet[RunLock] = weakref.WeakSet()


def _leave_to_parent() -> None:
    # A child that outlives the run would keep its lock.
    for lock in list(_held):
        lock.close_file()


os.register_at_fork(after_in_child=_leave_to_parent)


def _is_the_file(file: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _why(error: Exception) -> str:
    return os_reason(error) if isinstance(error, OSError) else first_line(error)
