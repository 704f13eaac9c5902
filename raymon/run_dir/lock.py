"""One run at a time writes to a directory.

On a file system of this machine the kernel says so, which lets go of a lock with the process that
has it, however that ends. Where it does not reach, on object storage and between machines, a run is
taken for one that goes on while its lease changes.
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
"""Seconds without one after which a run is over."""

_SETTLE_S = 1.0
"""Seconds in which another run may have begun at the same time; the last one to write wins."""

_LOOK_S = 0.2

_HELD = {errno.EWOULDBLOCK, errno.EACCES}


class RunLock:
    """Holds the directory of a run, which is made where it is not there, until it is released.

    Args:
        directory: Of the run.

    Raises:
        RunError: Another run writes to it, or it cannot be written to. It is as it was.
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
            self._wait_for_the_end_of_another()
            self._write()
            if not self._is_locked:
                time.sleep(_SETTLE_S)
                self._check_that_it_is_mine()
        except (pa.ArrowException, OSError) as error:
            self._give_back()
            raise RunError(f"{directory}: cannot be written: {_why(error)}") from None
        except BaseException:
            self._give_back()
            raise
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="raymon-lock", daemon=True)
        self._thread.start()
        _held.add(self)

    def release(self) -> None:
        """Lets another run have the directory; again, it does nothing."""
        # A copy of a process that was forked holds nothing.
        if self._process != os.getpid() or self._over.is_set():
            return
        self._over.set()
        self._thread.join()
        self._give_back()

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
                self.let_go()
                raise self._refusal(read_lease(directory))
            if _is_the_file(self._file, directory / LOCK):
                break
            # The one that was here took it away in between.
            os.close(self._file)

    def _make(self, directory: Path) -> None:
        self._made = [p for p in (directory, *directory.parents) if not p.exists()]
        directory.mkdir(parents=True, exist_ok=True)

    def _has_lock(self, file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._is_locked = True
        except OSError as error:
            # Others than these: a file system without locks, where the lease has to do.
            return error.errno not in _HELD
        return True

    def _wait_for_the_end_of_another(self) -> None:
        """Sees whether a run goes on whose lock cannot be seen from here."""
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
        self._lease = self._lease.later()
        if self._file is None:
            (self._directory / LOCK).write_bytes(self._lease.to_bytes())
        else:
            os.pwrite(self._file, self._lease.to_bytes(), 0)

    def _is_mine(self) -> bool:
        found = read_lease(self._directory)
        # With the lock of an empty file, it is this run that has made it.
        return self._file is not None if found is None else found.run == self._lease.run

    def _check_that_it_is_mine(self) -> None:
        found = read_lease(self._directory)
        if found is not None and found.run != self._lease.run:
            raise self._refusal(found)

    def _live(self) -> None:
        while not self._over.wait(_BEAT_S):
            try:
                self._beat()
            except (OSError, pa.ArrowException, RunError) as error:
                # Who cannot write here cannot write a checkpoint either, and is told of that.
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
            # A person took the directory away, and the next checkpoint made it again.
            if isinstance(self._directory, Path):
                self.let_go()
                self._take(self._directory)
            self._write()

    def _of_two(self, other: Lease) -> str:
        return f"{self._directory}: another run is writing to it ({other})"

    def _give_back(self) -> None:
        """Takes away what this run has made, as far as nothing else is in it, and lets go."""
        with suppress(OSError, pa.ArrowException, RunError):
            if self._is_mine():
                # While the lock is held: who opened the file before sees that it is another one.
                (self._directory / LOCK).unlink()
        self.let_go()
        for path in self._made:
            with suppress(OSError):
                path.rmdir()

    def let_go(self) -> None:
        """Closes the file, and leaves it; a process that was forked closes its copy."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


_held: weakref.WeakSet[RunLock] = weakref.WeakSet()


def _leave_to_parent() -> None:
    # A child that lives longer would keep the lock of a run that is over.
    for lock in list(_held):
        lock.let_go()


os.register_at_fork(after_in_child=_leave_to_parent)


def _is_the_file(file: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _why(error: Exception) -> str:
    return os_reason(error) if isinstance(error, OSError) else first_line(error)
