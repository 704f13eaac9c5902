"""The TensorBoard event files of a directory on object storage."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary

from raymon.sinks.tensorboard.event_records import (
    event_file_name,
    first_record,
    newest_number,
    purge_event,
    to_record,
)
from raymon.sinks.tensorboard.thin_events import event_bytes, thin_event_files
from raymon.sinks.thinning import Limit
from raymon.storage import ObjectPath

_MERGED = 64
_MOST_GATHERED = 10_000


class EventObjects:
    """The event files of a directory on object storage; each flush writes one file.

    Events are gathered up to a flush. Each file begins with a purge of its first step, so that a
    file that was written twice, after a failure or because many small ones were merged, shows no
    point twice, even to readers that have read the small ones. Those are deleted when the next ones
    are merged: a reader stops at a file that is deleted while it reads. After n flushes there are
    at most n / 64 + 128 files. When small ones are merged, files that are older than a day are
    thinned, above a limit.

    Args:
        directory: Directory of the files.
        max_bytes: Bytes of all files above which they are thinned.
        clock: Time in seconds since 1970.
        purges: Whether steps only grow between two purges, so that a file hides what others have
            of its steps. Without, a file that was written twice shows its events twice, and small
            files are not merged: for a few events of steps in any order.
    """

    def __init__(
        self,
        directory: ObjectPath,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
        *,
        purges: bool = True,
    ) -> None:
        self._directory = directory
        self._purges = purges
        self._limit = Limit(max_bytes)
        self._clock = clock
        # The number of the newest file; None until the directory was listed.
        self._newest: int | None = None
        self._gathered: list[Event] = []
        self._small: list[tuple[ObjectPath, list[Event]]] = []
        self._merged: list[ObjectPath] = []

    def add(self, summary: Summary, step: int) -> None:
        """Gathers the points of one step.

        Raises:
            OSError: No more events can be gathered, and the storage takes none.
        """
        if len(self._gathered) >= _MOST_GATHERED:
            self.flush()
        self._gathered.append(Event(wall_time=self._clock(), step=step, summary=summary))

    def purge(self, step: int) -> None:
        """Hides points of `step` and later, also from readers that have read them already.

        Raises:
            OSError: Nothing was hidden.
        """
        self._gathered = [event for event in self._gathered if event.step < step]
        if self._number() > 0:
            self._write([*self._gathered, purge_event(step)])
            self._gathered, self._small = [], []

    def flush(self) -> None:
        """Writes the points that were gathered.

        Raises:
            OSError: They are not written; they are kept, and written by the next call.
        """
        if not self._gathered:
            return
        if not self._purges:
            self._write(self._gathered)
        elif len(self._small) < _MERGED:
            self._small.append((self._write(self._gathered), self._gathered))
        else:
            before = [event for _, events in self._small for event in events]
            self._write(before + self._gathered)
            for path in self._merged:
                # A file that stays is purged by the next one.
                with suppress(OSError):
                    path.unlink()
            self._merged = [path for path, _ in self._small]
            self._small = []
            self._thin()
        self._gathered = []

    def _thin(self) -> None:
        # Files that cannot be thinned now are when the next ones are merged.
        with suppress(OSError):
            if self._limit.is_passed(event_bytes(self._directory)):
                thin_event_files(self._directory, self._limit.target, self._clock())
                self._limit.thinned_to(event_bytes(self._directory))

    def _number(self) -> int:
        if self._newest is None:
            self._newest = newest_number(self._directory)
        return self._newest

    def _write(self, events: list[Event]) -> ObjectPath:
        # A name is not used twice: a write that failed may still arrive.
        self._newest = max(int(self._clock()), self._number() + 1)
        path = self._directory / event_file_name(self._newest)
        purges = [purge_event(events[0].step)] if self._purges else []
        records = map(to_record, (*purges, *events))
        path.write_bytes(first_record(self._newest) + b"".join(records))
        return path
