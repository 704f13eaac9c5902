"""A path on object storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyarrow import fs

from raymon.retries import retrying
from raymon.storage.uri import with_few_tries

_CHUNK_BYTES = 8 << 20

_READ_PAUSES_S = (1.0, 3.0)
"""Seconds between tries to read an object, without which a run cannot continue."""


@dataclass(frozen=True)
class ObjectPath:
    """A path on object storage, with those members of `pathlib.Path` that runs need.

    A directory exists if something is in it. An object is written whole or not at all, and cannot
    grow. All methods that touch the storage raise an OSError if it fails.

    Attributes:
        filesystem: `pyarrow.fs.FileSystem` that holds it.
        inner: Path on that file system.
        base: URI, without the query.
        query: Query of the URI, with its question mark; "" if it has none.
    """

    filesystem: Any = field(repr=False, compare=False)
    inner: str = field(repr=False, compare=False)
    base: str
    query: str = ""

    def __str__(self) -> str:
        return self.base + self.query

    def __truediv__(self, name: str) -> ObjectPath:
        if not name:
            return self
        inner, base = f"{self.inner}/{name}", f"{self.base}/{name}"
        return ObjectPath(self.filesystem, inner, base, self.query)

    def __reduce__(self) -> tuple[Any, ...]:
        # The number of tries is set again on unpickling, as pyarrow does not pickle it.
        return _unpickled, (self.filesystem, self.inner, self.base, self.query)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.inner.rpartition("/")[2]

    @property
    def parent(self) -> ObjectPath:
        """The directory that holds it."""
        inner, base = self.inner.rpartition("/")[0], self.base.rpartition("/")[0]
        return ObjectPath(self.filesystem, inner, base, self.query)

    def exists(self) -> bool:
        """Whether there is an object, or anything under the path."""
        return self._type() is not fs.FileType.NotFound

    def is_file(self) -> bool:
        """Whether there is an object."""
        return self._type() is fs.FileType.File

    def is_dir(self) -> bool:
        """Whether there is anything under the path."""
        return self._type() is fs.FileType.Directory

    def iterdir(self) -> Iterator[ObjectPath]:
        """Yields what is directly in the directory; nothing if it does not exist."""
        return (self / info.base_name for info in self._entries())

    def sizes(self) -> dict[str, int]:
        """Returns the sizes in bytes of the objects directly in the directory, by name."""
        return {e.base_name: e.size for e in self._entries() if e.type == fs.FileType.File}

    def states(self) -> dict[str, tuple[int, int] | None]:
        """Returns what is directly in the directory, by name.

        Objects have their size in bytes and their time of modification in nanoseconds since 1970;
        directories have None.
        """
        return {
            entry.base_name: (entry.size, entry.mtime_ns or 0)
            if entry.type == fs.FileType.File
            else None
            for entry in self._entries()
        }

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Does nothing: a directory exists with the first object in it."""

    def open(self, mode: str) -> Any:
        """Returns a file of bytes with random access; `mode` is "rb"."""
        assert mode == "rb"
        return self.filesystem.open_input_file(self.inner)

    def read_bytes(self) -> bytes:
        """Returns the bytes of the object."""

        def read() -> bytes:
            with self.filesystem.open_input_stream(self.inner) as stream:
                return bytes(stream.read())

        return retrying(_READ_PAUSES_S, _may_pass)(read)

    def read_text(self, encoding: str = "utf-8") -> str:
        """Returns the object as text."""
        return self.read_bytes().decode(encoding)

    def write_bytes(self, data: bytes | memoryview) -> None:
        """Writes the object, whole or not at all."""
        with self.filesystem.open_output_stream(self.inner) as stream:
            stream.write(data)

    def unlink(self, missing_ok: bool = False) -> None:
        """Deletes the object."""
        try:
            self.filesystem.delete_file(self.inner)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def remove_tree(self) -> None:
        """Deletes all that is under the path."""
        self.filesystem.delete_dir(self.inner)

    def upload(self, file: Path) -> None:
        """Copies a file of this machine to the object."""
        with file.open("rb") as source, self.filesystem.open_output_stream(self.inner) as stream:
            while chunk := source.read(_CHUNK_BYTES):
                stream.write(chunk)

    def download(self, file: Path) -> None:
        """Copies the object to a file of this machine."""

        def read() -> None:
            with self.filesystem.open_input_stream(self.inner) as stream, file.open("wb") as target:
                while chunk := stream.read(_CHUNK_BYTES):
                    target.write(chunk)

        retrying(_READ_PAUSES_S, _may_pass)(read)

    def _type(self) -> Any:
        return self.filesystem.get_file_info(self.inner).type

    def _entries(self) -> Any:
        selector = fs.FileSelector(self.inner, allow_not_found=True)
        return self.filesystem.get_file_info(selector)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, OSError) and not isinstance(error, FileNotFoundError)


def _unpickled(filesystem: Any, inner: str, base: str, query: str) -> ObjectPath:
    return ObjectPath(with_few_tries(filesystem), inner, base, query)
