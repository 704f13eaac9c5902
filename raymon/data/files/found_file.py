"""The files that a path means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyarrow import fs

from raymon.data.files.directory_tree import Entry, Kind
from raymon.data.files.input_paths import InputPath, input_paths
from raymon.errors import DataError, first_line


@dataclass(frozen=True)
class FoundFile:
    """A file that exists.

    Attributes:
        path: Path, as a user would write it.
        filesystem: `pyarrow.fs.FileSystem` that holds the file.
        inner_path: Path on that file system.
        version: Size in bytes, and time of the last change in nanoseconds.
    """

    path: str
    filesystem: Any = field(repr=False)
    inner_path: str = field(repr=False)
    version: tuple[int, int | None] = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the file is on a file system of this machine."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    @property
    def size(self) -> int:
        """Size in bytes, when the file was found."""
        return self.version[0]

    def open(self) -> Any:
        """Returns a `pyarrow.NativeFile` with random access."""
        return self.filesystem.open_input_file(self.inner_path)

    def check_unchanged(self) -> None:
        """Checks that the file is what it was when it was found.

        Raises:
            DataError: It was changed, or is gone.
        """
        info = self.filesystem.get_file_info(self.inner_path)
        if info.type != fs.FileType.File:
            raise DataError(f"{self.path}: is gone since the run began")
        if (info.size, info.mtime_ns) != self.version:
            raise DataError(
                f"{self.path}: was changed since the run began; give new data a new name"
            )


def find_files(path: str, endings: Sequence[str], kind: str) -> list[FoundFile]:
    """Returns the files that a path means.

    Args:
        path: A file, a directory (its files with one of the endings, in either case, at any depth),
            or a glob; several are separated by commas. A local path, or any URI that `pyarrow.fs`
            opens. A path that exists means itself, whatever characters are in it. Names in
            directories that begin with _ or . are not data, nor what is in such directories, unless
            the path itself spells them so.
        endings: Endings of the files of a directory, such as `.parquet`.
        kind: Kind of file, in words for a message.

    Returns:
        The files: parts of the path in the order given, files of a part in the order of names.

    Raises:
        DataError: A part of the path matches no file.
    """
    wanted = f"{kind}, a directory of *{endings[0]} files"
    found = [file for part in input_paths(path) for file in _files(part, endings, wanted)]
    return found or _no_file(path, wanted)


def _files(part: InputPath, endings: Sequence[str], wanted: str) -> list[FoundFile]:
    try:
        entries = part.entries(endings)
        others = part.others() if not entries else ""
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{part.text}: cannot be listed: {first_line(error)}") from error
    return [_found(part, entry) for entry in entries] or _no_file(part.text, wanted, others)


def _found(part: InputPath, entry: Entry) -> FoundFile:
    path = part.prefix + (entry.path.lstrip("/") if part.prefix else entry.path)
    if entry.kind is Kind.OTHER:
        raise DataError(f"{path}: is a pipe or a device; data is read from files")
    return FoundFile(path, part.filesystem, entry.path, entry.version)


def _no_file(path: str, wanted: str, others: str = "") -> list[FoundFile]:
    raise DataError(f"{path}: matches no file; give {wanted}, or a glob{others}")
