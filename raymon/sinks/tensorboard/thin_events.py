"""Thins the event files of a directory that are older than a day."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

from tensorboardX.proto.event_pb2 import Event

from raymon.sinks.tensorboard.event_records import number_of
from raymon.sinks.thinning import WHOLE_S
from raymon.storage import StoragePath, file_sizes, write_whole

_LENGTH = struct.Struct("<Q")
_KEPT = ("text", "hparams")
"""Plugins of TensorBoard whose events are no points of curves."""

_BEFORE, _AFTER = 12, 4
"""Bytes of a record before and after its event: length and checksum, and a checksum."""


def event_bytes(directory: StoragePath) -> int:
    """Returns the bytes of the event files of a directory.

    Raises:
        OSError: They cannot be determined.
    """
    return sum(size for name, size in file_sizes(directory).items() if number_of(name) is not None)


def thin_event_files(directory: StoragePath, target: int, now: float) -> None:
    """Keeps each second point of old event files, from the oldest on, until the target is met.

    A file is old if the next one was begun more than a day ago. What takes points back stays, so
    that a reader sees the same curves with fewer points. The oldest files, which are thinned most
    often, are the sparsest.

    Args:
        directory: Directory of the files.
        target: Bytes that the files may have.
        now: Time in seconds since 1970.

    Raises:
        OSError: A file cannot be read or written; each file is whole.
    """
    sizes = {name: size for name, size in file_sizes(directory).items() if number_of(name)}
    names = sorted(sizes)
    total = sum(sizes.values())
    for name, following in pairwise(names):
        if total <= target or (number_of(following) or 0) > now - WHOLE_S:
            return
        data = (directory / name).read_bytes()
        kept = thinned_records(data)
        if len(kept) < len(data):
            write_whole(directory / name, kept)
            total -= len(data) - len(kept)


def thinned_records(data: bytes) -> bytes:
    """Returns an event file with each second of its points, without half a record at its end."""
    kept, points = [], 0
    for record in _records(data):
        if _is_point(record):
            points += 1
            if points % 2 == 0:
                continue
        kept.append(record)
    return b"".join(kept)


def _is_point(record: bytes) -> bool:
    with suppress(Exception):
        event = Event.FromString(record[_BEFORE:-_AFTER])
        # Texts and hyperparameters are written once.
        return bool(event.HasField("summary")) and not any(
            value.metadata.plugin_data.plugin_name in _KEPT for value in event.summary.value
        )
    return False


def _records(data: bytes) -> Iterator[bytes]:
    start = 0
    while start + _BEFORE + _AFTER <= len(data):
        end = start + _BEFORE + int(_LENGTH.unpack_from(data, start)[0]) + _AFTER
        if end > len(data):
            return
        yield data[start:end]
        start = end
