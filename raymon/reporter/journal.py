"""A file of records, each durable before anybody relies on it.

A record is its length and CRC-32, 4 bytes each and little-endian, then its bytes. What a process
that was killed left half written at the end is no record.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedRandom
from pathlib import Path

from google.protobuf.message import DecodeError

from raymon.protos.report_pb2 import JournalRecord

_HEADER = 8


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
        data = record.SerializeToString()
        header = len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little")
        self._pending.append(header + data)

    def flush(self) -> None:
        """Makes all records that were appended durable, in one go.

        Raises:
            OSError: They are not; they are kept, and written by the next call.
        """
        if not self._pending:
            return
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

    def _open(self) -> BufferedRandom:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            if self._good == 0:
                self._good = sum(_HEADER + size for _, size in _records(self.path))
            self._file = self.path.open("r+b")
            self._file.truncate(self._good)
            self._file.seek(self._good)
        return self._file


def read_journal(path: Path) -> list[JournalRecord]:
    """The records of a file, up to the first that is not whole; none where there is no file."""
    return [record for record, _ in _records(path)]


def _records(path: Path) -> Iterator[tuple[JournalRecord, int]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    begin = 0
    while begin + _HEADER <= len(data):
        size = int.from_bytes(data[begin : begin + 4], "little")
        checksum = int.from_bytes(data[begin + 4 : begin + _HEADER], "little")
        body = data[begin + _HEADER : begin + _HEADER + size]
        if len(body) < size or zlib.crc32(body) != checksum:
            return
        try:
            record = JournalRecord.FromString(body)
        except DecodeError:
            return
        yield record, size
        begin += _HEADER + size
