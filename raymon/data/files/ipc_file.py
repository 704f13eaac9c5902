"""Files of Arrow's IPC format, also called Feather V2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from raymon.data.files.data_file import DataFile
from raymon.data.files.found_file import FoundFile


class IpcFile(DataFile):
    """An Arrow IPC file. A record batch is a row group.

    The format does not say how many rows a record batch has, so all of them are read when the file
    is opened: a moment on a local disk, a whole read elsewhere.

    Raises:
        pyarrow.ArrowException, OSError: It is not an Arrow IPC file.
    """

    def __init__(self, found: FoundFile) -> None:
        self.found = found
        with self._open(None) as reader:
            rows = [reader.get_batch(i).num_rows for i in range(reader.num_record_batches)]
            super().__init__(found, reader.schema, rows)

    def _read(
        self,
        fetched: Any,
        row_group: int,
        start: int,
        stop: int,
        columns: Sequence[str],
        categorical: Sequence[str],
        chunk_rows: int,
    ) -> Iterator[tuple[int, pa.Table]]:
        with self._open([self.schema.get_field_index(name) for name in columns]) as reader:
            batch = reader.get_batch(row_group)
            for begin in range(start, stop, chunk_rows):
                rows = min(chunk_rows, stop - begin)
                yield begin, pa.Table.from_batches([batch.slice(begin, rows)])

    @contextmanager
    def _open(self, columns: list[int] | None) -> Iterator[Any]:
        options = pa.ipc.IpcReadOptions(included_fields=columns)
        with self.found.open() as source, pa.ipc.open_file(source, options=options) as reader:
            yield reader
