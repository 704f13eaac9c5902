"""The TensorBoard event files of a directory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary

from raymon.errors import os_reason
from raymon.sinks.json_lines.atomic_append import append_whole
from raymon.sinks.tensorboard.event_records import (
    event_file_name,
    first_record,
    newest_number,
    purge_event,
    to_record,
)
from raymon.sinks.tensorboard.thin_events import event_bytes, thin_event_files
from raymon.sinks.thinning import WHOLE_S, Limit

_FILES = 16
"""Files that there are at least before old ones are thinned."""


class EventFiles:
    """The event files of a directory; each event is on disk before the call returns.

    tensorboardX writes on a separate thread, which a full disk ends without an error; here the
    caller gets the error.

    A file that is full, or a day old, is followed by a new one; when one is begun, those that are
    older than a day are thinned, above a limit.

    Args:
        directory: Directory of the files, which is made with the first event.
        max_bytes: Bytes of all files above which they are thinned.
        clock: Time in seconds since 1970.

    Attributes:
        notices: Notices for people; the caller removes those that it has passed on.
    """

    def __init__(
        self, directory: Path, max_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory = directory
        self._file_bytes = max(1, max_bytes // _FILES)
        self._limit = Limit(max_bytes)
        self._clock = clock
        self._begun_at = 0.0
        self._path: Path | None = None
        self._number: int | None = None
        self.notices: list[str] = []

    def add(self, summary: Summary, step: int) -> None:
        """Adds the points of one step.

        Raises:
            OSError: No point was added.
        """
        self._append(Event(wall_time=self._clock(), step=step, summary=summary))

    def purge(self, step: int) -> None:
        """Hides points of `step` and later, also from readers that have read them already.

        Raises:
            OSError: Nothing was hidden.
        """
        self._path = None
        if self._newest() > 0:
            self._append(purge_event(step))

    def flush(self) -> None:
        """Does nothing, since every event is written already."""

    def _append(self, event: Event) -> None:
        if self._path is not None and not self._path.exists():
            self.notices.append(f"{self._path} was deleted; a new file goes on, without its points")
            self._path = None
        if self._path is None or self._clock() - self._begun_at >= WHOLE_S:
            self._begin()
            self._thin()
        assert self._path is not None
        try:
            size = append_whole(self._path, to_record(event))
            if size >= self._file_bytes:
                self._path = None
        except OSError:
            # A reader that saw the incomplete event will not read on in this file.
            self._path = None
            raise

    def _begin(self) -> None:
        # Readers take files in the order of their names and never go back: a file must come after
        # those that it purges, even if a host with a fast clock wrote them, and after one that
        # failed. A first record that fails is written again with the same bytes: a reader may have
        # seen a part of it.
        if self._number is None:
            self._number = max(int(self._clock()), self._newest() + 1)
        number = self._number
        path = self._directory / event_file_name(number)
        append_whole(path, first_record(number))
        self._path, self._number = path, None
        self._begun_at = self._clock()

    def _thin(self) -> None:
        try:
            if self._limit.is_passed(event_bytes(self._directory)):
                thin_event_files(self._directory, self._limit.target, self._clock())
                self._limit.thinned_to(event_bytes(self._directory))
        except OSError as error:
            self.notices.append(
                f"{self._directory}: old events are not thinned: {os_reason(error)}"
            )

    def _newest(self) -> int:
        return newest_number(self._directory) if self._directory.exists() else 0
