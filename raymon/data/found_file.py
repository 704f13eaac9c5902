"""Which files a path means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyarrow import fs

from raymon.errors import DataError, first_line
from raymon.storage import open_uri

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class FoundFile:
    """A file that is there.

    Attributes:
        path: as a user would write it.
        filesystem: `pyarrow.fs.FileSystem` that it is on.
        inner_path: its path there.
        version: size in bytes, and when it was last changed, in nanoseconds.
    """

    path: str
    filesystem: Any = field(repr=False)
    inner_path: str = field(repr=False)
    version: tuple[int, int | None] = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether it is on a file system of this machine."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def open(self) -> Any:
        """A `pyarrow.NativeFile` with random access."""
        return self.filesystem.open_input_file(self.inner_path)

    def check_unchanged(self) -> None:
        """Raises a DataError where it is not what it was when it was found."""
        info = self.filesystem.get_file_info(self.inner_path)
        if info.type != fs.FileType.File:
            raise DataError(f"{self.path}: is gone since the run began")
        if (info.size, info.mtime_ns) != self.version:
            raise DataError(
                f"{self.path}: was changed since the run began; give new data a new name"
            )


def find_files(path: str, endings: Sequence[str], kind: str) -> list[FoundFile]:
    """The files that a path means.

    Args:
        path: a file, a directory (its files with one of the endings, at any depth), or a glob;
            several are separated by commas. A local path, or any URI that `pyarrow.fs` opens.
        endings: of the files of a directory, as `.parquet`.
        kind: of file, in words for a message.

    Returns:
        The files: parts of the path in the order given, files of a part in the order of names.

    Raises:
        DataError: a part of the path matches no file.
    """
    parts = [part for part in (p.strip() for p in path.split(",")) if part]
    wanted = f"{kind}, a directory of *{endings[0]} files"
    return [file for part in parts for file in _matches(part, endings, wanted)] or _none(
        path, wanted
    )


def _matches(part: str, endings: Sequence[str], wanted: str) -> list[FoundFile]:
    prefix = ""
    try:
        if "://" in part:
            filesystem, inner = open_uri(part)
            prefix = part.removesuffix(inner.lstrip("/")) if part.endswith(inner) else ""
        else:
            filesystem, inner = fs.LocalFileSystem(), part
        infos = filesystem.get_file_info(_list(filesystem, inner, endings))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{part}: cannot be listed: {first_line(error)}") from error
    return [
        FoundFile(
            prefix + (info.path.lstrip("/") if prefix else info.path),
            filesystem,
            info.path,
            (info.size, info.mtime_ns),
        )
        for info in infos
    ] or _none(part, wanted)


def _list(filesystem: Any, path: str, endings: Sequence[str]) -> list[str]:
    magic = _GLOB.search(path)
    if magic is None:
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.File:
            return [path]
        pattern = re.compile(rf".*({'|'.join(map(re.escape, endings))})")
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


def _none(path: str, wanted: str) -> list[FoundFile]:
    raise DataError(f"{path}: matches no file; give {wanted}, or a glob")
