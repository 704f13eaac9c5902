"""The records of TensorBoard event files, and the names of the files."""

from __future__ import annotations

import os
import re
import socket
import struct
import time

from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import masked_crc32c

from raymon.storage import StoragePath

_NAME = re.compile(r"events\.out\.tfevents\.(\d+)\..*")


def event_file_name(number: int) -> str:
    """Returns the name of an event file; readers take files in the order of their names."""
    return f"events.out.tfevents.{number:010d}.{socket.gethostname()}.{os.getpid()}"


def newest_number(directory: StoragePath) -> int:
    """Returns the largest number of an event file in a directory; 0 if there is none."""
    return max((number_of(entry.name) or 0 for entry in directory.iterdir()), default=0)


def number_of(name: str) -> int | None:
    """Returns the number of an event file, about when it was begun; None for another file."""
    found = _NAME.fullmatch(name)
    return None if found is None else int(found[1])


def first_record(number: int) -> bytes:
    """Returns the record that an event file begins with."""
    return to_record(Event(wall_time=number, file_version="brain.Event:2"))


def purge_event(step: int) -> Event:
    """Returns an event that makes readers forget what they have read of `step` and later."""
    started = SessionLog(status=SessionLog.START)
    return Event(wall_time=time.time(), step=step, session_log=started)


def to_record(event: Event) -> bytes:
    """Returns the bytes of an event in a file: length, its checksum, data, its checksum.

    The record writer of tensorboard gives the same bytes, by a checksum in Python: 859 us for the
    histogram of a gradient and 380 us for 200 scalars, here 2.4 us and 4.7 us.
    """
    data: bytes = event.SerializeToString()
    length = struct.pack("<Q", len(data))
    checksums = [struct.pack("<I", masked_crc32c(part)) for part in (length, data)]
    return length + checksums[0] + data + checksums[1]
