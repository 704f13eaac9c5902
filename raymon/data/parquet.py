"""Parquet files: which ones a path means, what their footers say, and rows of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from raymon.errors import DataError

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file whose footer has been read.

    Attributes:
        path: as a user would write it.
        metadata: `pyarrow.parquet.FileMetaData`.
        schema: `pyarrow.Schema`.
        version: size in bytes, and when it was last changed, in nanoseconds.
    """

    path: str
    metadata: Any = field(repr=False)
    schema: Any = field(repr=False)
    filesystem: Any = field(repr=False)
    inner_path: str = field(repr=False)
    version: tuple[int, int | None] = field(repr=False)

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return int(self.metadata.num_rows)

    def row_group_rows(self) -> list[int]:
        """Rows of each row group."""
        return [self.metadata.row_group(i).num_rows for i in range(self.metadata.num_row_groups)]

    def read(
        self,
        row_group: int,
        start: int,
        stop: int,
        columns: Sequence[str],
        categorical: Sequence[str],
        chunk_rows: int,
    ) -> Iterator[tuple[int, pa.Table]]:
        """Rows [start, stop) of a row group, in pieces of at most twice `chunk_rows`.

        Args:
            row_group: index in the file.
            start, stop: from the beginning of the row group.
            columns: the ones that are read.
            categorical: columns of which strings come as a dictionary and indices into it.
            chunk_rows: a larger row group is never whole in memory.

        Returns:
            Each piece, and where in the row group it begins.

        Raises:
            DataError: the file is damaged, or not as it was when its footer was read.
        """
        try:
            yield from self._read(row_group, start, stop, columns, categorical, chunk_rows)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self.path}: row group {row_group} cannot be read: {_first_line(error)}"
            ) from error

    def _read(
        self,
        row_group: int,
        start: int,
        stop: int,
        columns: Sequence[str],
        categorical: Sequence[str],
        chunk_rows: int,
    ) -> Iterator[tuple[int, pa.Table]]:
        self._check_unchanged()
        with self.filesystem.open_input_file(self.inner_path) as source:
            reader = pq.ParquetFile(
                source,
                metadata=self.metadata,
                read_dictionary=[name for name in categorical if self._is_string(name)],
                pre_buffer=not isinstance(self.filesystem, fs.LocalFileSystem),
            )
            rows = self.metadata.row_group(row_group).num_rows
            if rows <= 2 * chunk_rows:
                # In one piece, as the work that is done once for each entry of its dictionaries.
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

    def _check_unchanged(self) -> None:
        info = self.filesystem.get_file_info(self.inner_path)
        if info.type != fs.FileType.File:
            raise DataError(f"{self.path}: is gone since the run began")
        if (info.size, info.mtime_ns) != self.version:
            raise DataError(
                f"{self.path}: was changed since the run began; give new data a new name"
            )

    def _is_string(self, column: str) -> bool:
        column_type = self.schema.field(column).type
        return bool(pa.types.is_string(column_type) or pa.types.is_large_string(column_type))


def open_files(path: str, skipped: list[str] | None = None) -> list[ParquetFile]:
    """Reads the footers of all files that a path means.

    Args:
        path: a file, a directory (its `*.parquet` files, at any depth), or a glob; several are
            separated by commas. A local path, or any URI that `pyarrow.fs` opens.
        skipped: gets what is wrong with the files that are not Parquet; None: that is an error.

    Returns:
        The files: parts of the path in the order given, files of a part in the order of names.

    Raises:
        DataError: a part of the path matches no file, or a file is not Parquet.
    """
    files = []
    for part in filter(None, (p.strip() for p in path.split(","))):
        for filesystem, inner, shown in _matches(part):
            try:
                files.append(_open(filesystem, inner, shown))
            except DataError as error:
                if skipped is None:
                    raise
                skipped.append(str(error))
    return files or _no_file(path)


def _matches(part: str) -> list[tuple[Any, str, str]]:
    prefix = ""
    try:
        if "://" in part:
            filesystem, inner = fs.FileSystem.from_uri(part)
            prefix = part.removesuffix(inner.lstrip("/")) if part.endswith(inner) else ""
        else:
            filesystem, inner = fs.LocalFileSystem(), part
        found = _list(filesystem, inner)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{part}: cannot be listed: {_first_line(error)}") from error
    if not found:
        return _no_file(part)
    return [(filesystem, file, prefix + (file.lstrip("/") if prefix else file)) for file in found]


def _list(filesystem: Any, path: str) -> list[str]:
    magic = _GLOB.search(path)
    if magic is None:
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.File:
            return [path]
        pattern = re.compile(r".*\.parquet")
        base, recursive = path, True
    else:
        head, slash, _ = path[: magic.start()].rpartition("/")
        base = head or slash
        recursive = "/" in path[magic.start() :]
        pattern = re.compile(_translate(path))
    selector = fs.FileSelector(base or ".", recursive=recursive, allow_not_found=True)
    return sorted(
        name
        for info in filesystem.get_file_info(selector)
        if info.type == fs.FileType.File
        and pattern.fullmatch(name := info.path if base else info.path.removeprefix("./"))
        # Names with _ or . at the front are by convention not data (_SUCCESS, _metadata).
        and not info.base_name.startswith(("_", "."))
    )


def _translate(glob: str) -> str:
    """The regular expression of a glob: * and ? stop at a slash, ** does not."""
    tokens = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(
        tokens.get(token) or (token if token.startswith("[") else re.escape(token))
        for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", glob)
    )


def _open(filesystem: Any, inner: str, shown: str) -> ParquetFile:
    try:
        info = filesystem.get_file_info(inner)
        with filesystem.open_input_file(inner) as source:
            reader = pq.ParquetFile(source)
        version = info.size, info.mtime_ns
        return ParquetFile(shown, reader.metadata, reader.schema_arrow, filesystem, inner, version)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{shown}: is not a Parquet file: {_first_line(error)}") from error


def _no_file(path: str) -> list[Any]:
    raise DataError(
        f"{path}: matches no file; give a Parquet file, a directory of *.parquet files, or a glob"
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
