"""The contents of directories, on this machine and on object storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from stat import S_ISDIR, S_ISREG
from typing import Any, Protocol

from pyarrow import fs

from raymon.data.files.globs import is_visible


class Kind(Enum):
    """The kind of an entry of a directory.

    MISSING is also a broken link, OTHER a pipe or a device.
    """

    FILE = 1
    DIRECTORY = 2
    MISSING = 3
    OTHER = 4


@dataclass(frozen=True)
class Entry:
    """An entry of a directory.

    Attributes:
        path: Path on its file system.
        kind: Kind of what the path leads to; links are followed.
        version: Size in bytes, and time of the last change in nanoseconds.
        identity: Value that is the same for all paths to one directory; None if the file system has
            no links.
        is_link: Whether it is a symbolic link.
    """

    path: str
    kind: Kind
    version: tuple[int, int | None] = (0, None)
    identity: tuple[int, int] | None = None
    is_link: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Tree(Protocol):
    """The directories of a file system."""

    def entry(self, path: str) -> Entry:
        """Returns what is at a path."""

    def children(self, path: str) -> list[Entry]:
        """Returns what is in a directory, ordered by name; nothing if it does not exist."""

    def read_all(self, path: str) -> None:
        """Announces that all directories below a path will be asked for."""


class LocalTree:
    """The directories of this machine. All methods raise OSError."""

    def entry(self, path: str) -> Entry:
        """Returns what is at a path."""
        is_link = os.path.islink(path)
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return Entry(path, Kind.MISSING, is_link=is_link)
        kind = Kind.OTHER
        if S_ISDIR(found.st_mode):
            kind = Kind.DIRECTORY
        elif S_ISREG(found.st_mode):
            kind = Kind.FILE
        version = (found.st_size, found.st_mtime_ns)
        return Entry(path, kind, version, (found.st_dev, found.st_ino), is_link)

    def children(self, path: str) -> list[Entry]:
        """Returns what is in a directory, ordered by name."""
        try:
            names = sorted(os.listdir(path or "."))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [self.entry(joined(path, name)) for name in names]

    def read_all(self, path: str) -> None:
        """Does nothing: directories are read one by one."""


class RemoteTree:
    """The directories of another file system. All methods raise what pyarrow raises.

    Args:
        filesystem: `pyarrow.fs.FileSystem` that holds them.
    """

    def __init__(self, filesystem: Any) -> None:
        self._filesystem = filesystem
        self._read: dict[str, list[Entry]] = {}
        self._whole: list[str] = []

    def entry(self, path: str) -> Entry:
        """Returns what is at a path."""
        return _entry(self._filesystem.get_file_info(path))

    def children(self, path: str) -> list[Entry]:
        """Returns what is in a directory, ordered by name."""
        if path not in self._read and not any(_is_below(path, top) for top in self._whole):
            self._list(path, recursive=False)
        return self._read.get(path, [])

    def read_all(self, path: str) -> None:
        """Lists everything below a path in few requests."""
        if not any(path == top or _is_below(path, top) for top in self._whole):
            self._list(path, recursive=True)
            self._whole.append(path)

    def _list(self, path: str, recursive: bool) -> None:
        selector = fs.FileSelector(path, recursive=recursive, allow_not_found=True)
        entries: dict[str, dict[str, Entry]] = {path: {}}
        for info in self._filesystem.get_file_info(selector):
            entry = _entry(info)
            # Not every storage lists the directories that its objects are in.
            while _is_below(entry.path, path):
                parent = entry.path.rpartition("/")[0]
                entries.setdefault(parent, {}).setdefault(entry.path, entry)
                entry = Entry(parent, Kind.DIRECTORY)
        for parent, found in entries.items():
            self._read[parent] = sorted(found.values(), key=lambda entry: entry.path)


def files_below(tree: Tree, top: Entry) -> Iterator[Entry]:
    """Yields all files in a directory, at any depth, except in hidden directories.

    `is_visible` says which are hidden. A file that links lead to is yielded once, by its own path
    if that is below the directory too.
    """
    tree.read_all(top.path)
    own: list[Entry] = []
    linked: list[Entry] = []

    def visit(directory: Entry, above: tuple[object, ...], by_link: bool) -> None:
        for child in tree.children(directory.path):
            if not is_visible(child.name):
                continue
            links = by_link or child.is_link
            if child.kind is not Kind.DIRECTORY:
                (linked if links else own).append(child)
            elif child.identity is None or child.identity not in above:
                visit(child, (*above, child.identity), links)

    visit(top, (top.identity,), by_link=False)
    yield from own
    seen = {os.path.realpath(entry.path) for entry in own} if linked else set()
    for entry in linked:
        real = os.path.realpath(entry.path)
        if real not in seen:
            seen.add(real)
            yield entry


def joined(directory: str, name: str) -> str:
    """Returns the path of a name in a directory; "" is the working directory."""
    return name if not directory else directory.rstrip("/") + "/" + name


def _is_below(path: str, top: str) -> bool:
    return path.startswith(top + "/") if top else bool(path)


def _entry(info: Any) -> Entry:
    kinds = {fs.FileType.File: Kind.FILE, fs.FileType.Directory: Kind.DIRECTORY}
    kind = kinds.get(info.type, Kind.MISSING)
    path = info.path.rstrip("/") or info.path
    return Entry(path, kind, (info.size or 0, info.mtime_ns))
