"""A file of records, each durable before anybody relies on it.

A record is its length and CRC-32, 4 bytes each and little-endian, then its bytes. What a process
that was killed left half written at the end is no record.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedRandom
from pathlib import Path

from google.protobuf.message import DecodeError

from raymon.protos.report_pb2 import JournalRecord

_HEADER = 8


class JournalGoneError(OSError):
    """The file was deleted, and what was in it with it; what is pending is kept."""


class Journal:
    """Appends records to a file, which is made when the first comes.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BufferedRandom | None = None
        self._good = 0
        self._pending: list[bytes] = []

    def append(self, record: JournalRecord) -> None:
        """Takes a record; `flush` makes it durable."""
        self._pending.append(to_bytes(record))

    def flush(self) -> None:
        """Makes all records that were appended durable, in one go.

        Raises:
            JournalGoneError: Somebody has deleted the file; the next call makes it again.
            OSError: They are not; they are kept, and written by the next call.
        """
        if not self._pending:
            return
        if self._good > 0 and not self._is_there():
            self.close()
            self._good = 0
            raise JournalGoneError(errno.ENOENT, "was deleted", str(self.path))
        try:
            file = self._open()
            data = b"".join(self._pending)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            self.close()
            raise
        self._good += len(data)
        self._pending.clear()

    def close(self) -> None:
        """Closes the file; what is not flushed stays pending."""
        file, self._file = self._file, None
        if file is not None:
            # What could not be written is written again; `flush` said so.
            with suppress(OSError):
                file.close()

    def _is_there(self) -> bool:
        """Whether the file is still the one that was written to: a process may go on writing to one
        that has no name any more, and nobody will read it."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        if self._file is not None:
            return os.path.samestat(there, os.fstat(self._file.fileno()))
        return there.st_size >= self._good

    def _open(self) -> BufferedRandom:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            if self._good == 0:
                self._good = sum(map(len, split_records(self.path.read_bytes())))
            self._file = self.path.open("r+b")
            self._file.truncate(self._good)
            self._file.seek(self._good)
        return self._file


def to_bytes(record: JournalRecord) -> bytes:
    """A record as it is in a journal."""
    data = record.SerializeToString()
    return len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little") + data


def split_records(data: bytes) -> list[bytes]:
    """The records of a journal as they are in it, up to the first that is not whole."""
    return list(_whole_records(data))


def from_bytes(record: bytes) -> JournalRecord:
    """A record that is whole."""
    return JournalRecord.FromString(record[_HEADER:])


def _whole_records(data: bytes) -> Iterator[bytes]:
    begin = 0
    while begin + _HEADER <= len(data):
        size = int.from_bytes(data[begin : begin + 4], "little")
        checksum = int.from_bytes(data[begin + 4 : begin + _HEADER], "little")
        record = data[begin : begin + _HEADER + size]
        if len(record) < _HEADER + size or zlib.crc32(record[_HEADER:]) != checksum:
            return
        try:
            from_bytes(record)
        except DecodeError:
            return
        yield record
        begin += len(record)
