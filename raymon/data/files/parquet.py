"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from raymon.data.files.byte_ranges import Range, fetch_ranges, joined, page_in
from raymon.data.files.data_file import ColumnStatistics, DataFile
from raymon.data.files.found_file import FoundFile

_FETCHED_BYTES = 64 << 20
"""Most bytes of a row group that are read before they are decoded."""

_FETCHED_RANGES = 2
"""Most reads of a row group of a file that is elsewhere, one after the other."""

_HOLE_BYTES = 1 << 20
"""Bytes between two columns that are read along with them."""

_PADDING_BYTES = 128
"""Bytes after a column that Arrow reads too, as old writers counted too few."""


class ParquetFile(DataFile):
    """A Parquet file; only its footer is read when it is opened.

    Raises:
        pyarrow.ArrowException, OSError: It is not a Parquet file.
    """

    def __init__(self, found: FoundFile) -> None:
        with found.open() as source:
            reader = pq.ParquetFile(source)
        metadata = self._metadata = reader.metadata
        rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        super().__init__(found, reader.schema_arrow, rows)

    def statistics(self, column: str) -> Iterator[ColumnStatistics]:
        """Yields what the footer says of a column, by row group; nothing for a column of lists."""
        metadata = self._metadata
        paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
        if column not in paths:
            return  # a list has no statistics, only its items have
        leaf = paths.index(column)
        for group in range(metadata.num_row_groups):
            found: Any = metadata.row_group(group).column(leaf).statistics
            if found is not None:
                nulls = found.null_count if found.has_null_count else None
                # For float16 they are bytes that are not decoded.
                readable = found.has_min_max and found.logical_type.type != "FLOAT16"
                least, most = (found.min, found.max) if readable else (None, None)
                yield ColumnStatistics(group, nulls, least, most)

    def _fetch(self, row_group: int, columns: Sequence[str]) -> Any:
        group, wanted, size = self._metadata.row_group(row_group), set(columns), self.found.size
        chunks = [group.column(index) for index in range(group.num_columns)]
        ranges = joined(
            [
                _range(chunk, size)
                for chunk in chunks
                if chunk.path_in_schema.partition(".")[0] in wanted
            ],
            _HOLE_BYTES,
        )
        if self.found.is_local:
            page_in(self.found.inner_path, ranges)
            return None
        # More than that Arrow reads in parallel, or a part at a time.
        bytes_fetched = sum(end - begin for begin, end in ranges)
        if bytes_fetched > _FETCHED_BYTES or len(ranges) > _FETCHED_RANGES:
            return None
        with self.found.open() as source:
            return fetch_ranges(source, size, ranges)

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
        with fetched or self.found.open() as source:
            reader = pq.ParquetFile(
                source,
                metadata=self._metadata,
                read_dictionary=list(categorical),
                pre_buffer=fetched is None and not self.found.is_local,
            )
            if self.row_group_rows[row_group] <= 2 * chunk_rows:
                # In one piece, because each piece repeats the work for all entries of dictionaries.
                table = reader.read_row_group(row_group, columns=list(columns))
                yield start, table.slice(start, stop - start)
                return
            begin = 0
            for batch in reader.iter_batches(chunk_rows, [row_group], list(columns)):
                first, last = max(start, begin), min(stop, begin + len(batch))
                if first < last:
                    table = pa.Table.from_batches([batch.slice(first - begin, last - first)])
                    yield first, table
                begin += len(batch)
                if begin >= stop:
                    return


def _range(chunk: Any, size: int) -> Range:
    """Returns the bytes of a column chunk in a file of `size` bytes."""
    begin = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < begin:
        begin = chunk.dictionary_page_offset
    return begin, min(begin + chunk.total_compressed_size + _PADDING_BYTES, size)
