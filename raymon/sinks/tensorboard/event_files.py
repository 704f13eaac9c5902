"""The TensorBoard event files of a directory."""

from __future__ import annotations

import time
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary

from raymon.sinks.json_lines.atomic_append import append_whole
from raymon.sinks.tensorboard.event_records import (
    event_file_name,
    first_record,
    newest_number,
    purge_event,
    to_record,
)


class EventFiles:
    """The event files of a directory; each event is on disk before the call returns.

    tensorboardX writes on a separate thread, which a full disk ends without an error; here the
    caller gets the error.

    Args:
        directory: Directory of the files, which is made with the first event.

    Attributes:
        notices: Notices for people; the caller removes those that it has passed on.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path: Path | None = None
        self._number: int | None = None
        self.notices: list[str] = []

    def add(self, summary: Summary, step: int) -> None:
        """Adds the points of one step.

        Raises:
            OSError: No point was added.
        """
        self._append(Event(wall_time=time.time(), step=step, summary=summary))

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
        if self._path is None:
            self._begin()
        assert self._path is not None
        try:
            append_whole(self._path, to_record(event))
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
            self._number = max(int(time.time()), self._newest() + 1)
        number = self._number
        path = self._directory / event_file_name(number)
        append_whole(path, first_record(number))
        self._path, self._number = path, None

    def _newest(self) -> int:
        return newest_number(self._directory) if self._directory.exists() else 0
