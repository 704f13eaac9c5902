"""Parquet files: which ones a path means, what their footers say, and rows of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    """

    path: str
    metadata: Any = field(repr=False)
    schema: Any = field(repr=False)
    filesystem: Any = field(repr=False)
    inner_path: str = field(repr=False)

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return int(self.metadata.num_rows)

    def row_group_rows(self) -> list[int]:
        """Rows of each row group."""
        return [self.metadata.row_group(i).num_rows for i in range(self.metadata.num_row_groups)]

    def read_row_group(self, row_group: int, columns: Sequence[str]) -> pa.Table:
        """The named columns of one row group.

        Raises:
            DataError: the file is damaged, or not as it was when its footer was read.
        """
        try:
            with self.filesystem.open_input_file(self.inner_path) as source:
                reader = pq.ParquetFile(source, metadata=self.metadata)
                return reader.read_row_group(row_group, columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self.path}: row group {row_group} cannot be read: {_first_line(error)}"
            ) from error


def open_files(path: str) -> list[ParquetFile]:
    """Reads the footers of all files that a path means.

    Args:
        path: a file, a directory (its `*.parquet` files, at any depth), or a glob; several are
            separated by commas. A local path, or any URI that `pyarrow.fs` opens.

    Returns:
        The files: parts of the path in the order given, files of a part in the order of names.

    Raises:
        DataError: a part of the path matches no file, or a file is not Parquet.
    """
    return [
        _open(filesystem, inner, shown)
        for part in filter(None, (p.strip() for p in path.split(",")))
        for filesystem, inner, shown in _matches(part)
    ] or _no_file(path)


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
        with filesystem.open_input_file(inner) as source:
            reader = pq.ParquetFile(source)
            return ParquetFile(shown, reader.metadata, reader.schema_arrow, filesystem, inner)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{shown}: is not a Parquet file: {_first_line(error)}") from error


def _no_file(path: str) -> list[Any]:
    raise DataError(
        f"{path}: matches no file; give a Parquet file, a directory of *.parquet files, or a glob"
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
