"""The TensorBoard event files of a directory."""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c

from raymon.sinks.whole_append import append_whole

_NAME = re.compile(r"events\.out\.tfevents\.(\d+)\..*")


class EventFiles:
    """Appends events, each on disk before the call returns.

    tensorboardX writes on a thread of its own, where a full disk ends the thread and nobody hears
    of it; here the caller does.

    Args:
        directory: Made when the first event comes.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path: Path | None = None
        self._number: int | None = None

    def add(self, summary: Summary, step: int) -> None:
        """Adds the points of one step.

        Raises:
            OSError: None of them was added.
        """
        self._append(Event(wall_time=time.time(), step=step, summary=summary))

    def purge(self, step: int) -> None:
        """Hides what is there of `step` and after, from readers that have read it too.

        Raises:
            OSError: Nothing was hidden.
        """
        self._path = None
        if self._newest() > 0:
            started = SessionLog(status=SessionLog.START)
            self._append(Event(wall_time=time.time(), step=step, session_log=started))

    def _append(self, event: Event) -> None:
        if self._path is None:
            self._begin()
        assert self._path is not None
        try:
            append_whole(self._path, _record(event))
        except OSError:
            # A reader that saw the half before it was cut off will not read on in this file.
            self._path = None
            raise

    def _begin(self) -> None:
        # Readers take files in the order of their names and never go back: a file must come after
        # those that it purges, also of a host whose clock was ahead, and after one that failed.
        # A beginning that fails is tried again with the same bytes: a reader may have seen half.
        if self._number is None:
            self._number = max(int(time.time()), self._newest() + 1)
        number = self._number
        name = f"events.out.tfevents.{number:010d}.{socket.gethostname()}.{os.getpid()}"
        path = self._directory / name
        append_whole(path, _record(Event(wall_time=number, file_version="brain.Event:2")))
        self._path, self._number = path, None

    def _newest(self) -> int:
        if not self._directory.exists():
            return 0
        names = (_NAME.fullmatch(entry.name) for entry in self._directory.iterdir())
        return max((int(name[1]) for name in names if name), default=0)


def _record(event: Event) -> bytes:
    # The TFRecord format: length, its checksum, data, its checksum.
    data: bytes = event.SerializeToString()
    length = struct.pack("<Q", len(data))
    checksums = [struct.pack("<I", masked_crc32c(part)) for part in (length, data)]
    return length + checksums[0] + data + checksums[1]
