"""A file of records, each of which is durable before anybody relies on it.

A record is its length and CRC-32, 4 bytes each and little-endian, then its bytes. A last record
that is incomplete, because its process was killed, does not count.
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
    """The file was deleted with everything in it; what is pending is kept."""


class Journal:
    """A file that records are appended to.

    Args:
        path: Path of the file, which is made with the first record.
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
        """Makes all records that were appended durable, in one write.

        Raises:
            JournalGoneError: Somebody has deleted the file; the next call makes it again.
            OSError: They are not durable; they are kept, and written by the next call.
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
            # What could not be written stays pending; `flush` has raised for it.
            with suppress(OSError):
                file.close()

    def _is_there(self) -> bool:
        """Returns whether the file is still the one that was written to.

        A process can go on writing to a file that was deleted, and nobody will read that.
        """
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
    """Returns the bytes of a record in a journal."""
    data = record.SerializeToString()
    return len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little") + data


def split_records(data: bytes) -> list[bytes]:
    """Returns the bytes of each record of a journal, up to the first that is incomplete."""
    return list(_whole_records(data))


def from_bytes(record: bytes) -> JournalRecord:
    """Returns the record of the bytes that `to_bytes` made."""
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
