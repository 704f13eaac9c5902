"""The journal on object storage, and the functions that open the journal of any path."""

from __future__ import annotations

from pathlib import Path

from raymon.protos.report_pb2 import JournalRecord
from raymon.reporter.store.journal import Journal, from_bytes, split_records, to_bytes
from raymon.storage import ObjectLog, ObjectPath, StoragePath


class ObjectJournal:
    """A journal like `Journal`, kept as a directory of parts; each flush writes one part.

    Args:
        path: Directory of the parts.
    """

    def __init__(self, path: ObjectPath) -> None:
        self._parts = ObjectLog(path, split_records)
        self._pending: list[bytes] = []

    def append(self, record: JournalRecord) -> None:
        """Takes a record; `flush` makes it durable."""
        self._pending.append(to_bytes(record))

    def flush(self) -> None:
        """Makes all records that were appended durable, in one part.

        Raises:
            OSError: They are not durable; they are kept, and written by the next call.
        """
        if self._pending:
            self._parts.append(self._pending)
            self._pending = []

    def close(self) -> None:
        """Does nothing, since nothing is open."""


def open_journal(path: StoragePath) -> Journal | ObjectJournal:
    """Returns the journal at a path, to append to."""
    return Journal(path) if isinstance(path, Path) else ObjectJournal(path)


def read_journal(path: StoragePath) -> list[JournalRecord]:
    """Returns the records of a journal, up to the first that is incomplete; none if it is missing.

    Raises:
        OSError: It cannot be read.
    """
    if not isinstance(path, Path):
        records = ObjectLog(path, split_records).read()
    else:
        records = split_records(path.read_bytes()) if path.exists() else []
    return [from_bytes(record) for record in records]
