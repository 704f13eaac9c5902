"""The paths of data that a user gives: files, directories and globs, separated by commas."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import fs

from raymon.data.files.directory_tree import (
    Entry,
    Kind,
    LocalTree,
    RemoteTree,
    Tree,
    files_below,
    joined,
)
from raymon.data.files.globs import (
    ANY_DEPTH,
    alternatives,
    escaped,
    fits,
    is_glob,
    is_visible,
    may_read,
    split_list,
)
from raymon.errors import DataError, first_line
from raymon.storage import StoragePath, check_no_credentials, open_uri, split_query

_NO_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")
_LONGEST_NAME = 8
"""Pieces between commas that the name of a file may have in a list of paths."""

_LONGEST_LIST = 64
"""Pieces between commas that a glob may have in a list of paths."""


@dataclass(frozen=True)
class InputPath:
    """One path: a file, a directory or a glob.

    Attributes:
        text: Path, as the user wrote it.
        filesystem: `pyarrow.fs.FileSystem` that holds it.
        tree: Directories of that file system.
        base: Longest beginning of the path that is no glob; a name that exists means itself, even
            if it could be read as a glob.
        segments: Segments of the glob below the base; empty if the path is a file or a directory.
        prefix: Text that a user writes before a path on the file system.
    """

    text: str
    filesystem: Any
    tree: Tree
    base: str
    segments: tuple[str, ...]
    prefix: str

    def entries(self, endings: Sequence[str]) -> list[Entry]:
        """Returns the files that the path means, in the order of their paths.

        These are the path itself, the files with one of the endings in a directory, or those that a
        glob means, also in directories that it means.

        Args:
            endings: Endings of the files of a directory, in lower case.

        Raises:
            pyarrow.ArrowException, OSError: They cannot be listed.
        """
        if self.segments:
            if len(self.segments) > 1:
                self.tree.read_all(self.base)
            found = list(self._expand(self.base, self.segments))
        else:
            found = [self.tree.entry(self.base)]
        files: dict[str, Entry] = {}
        for entry in found:
            if entry.kind is Kind.DIRECTORY:
                below = files_below(self.tree, entry)
                files.update((e.path, e) for e in below if e.name.lower().endswith(tuple(endings)))
            elif entry.kind is not Kind.MISSING or entry.is_link:
                files[entry.path] = entry
        return [files[path] for path in sorted(files)]

    def others(self) -> str:
        """Returns what a directory has instead of the wanted files, as the end of a message."""
        if self.segments or self.tree.entry(self.base).kind is not Kind.DIRECTORY:
            return ""
        names = [entry.name for entry in self.entries([""])]
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            return f"; it has {names[0]}{more}"
        if self.tree.children(self.base):
            return "; names that begin with _ or . are not data"
        return "; it is empty"

    def may_read(self, path: str) -> bool:
        """Whether this path means a file at another path, or a directory that holds it.

        Args:
            path: Path on the same file system.
        """
        base, path = self._real(self.base or "."), self._real(path)
        if path == base:
            return True
        below = base.rstrip("/") + "/"
        return path.startswith(below) and may_read(path[len(below) :].split("/"), self.segments)

    def _real(self, path: str) -> str:
        if isinstance(self.tree, LocalTree):
            return os.path.realpath(path)
        return re.sub("/+", "/", path).strip("/")

    def _expand(self, directory: str, segments: Sequence[str]) -> Iterator[Entry]:
        segment, rest = segments[0], segments[1:]
        if segment == ANY_DEPTH and rest:
            yield from self._expand(directory, rest)
            for child in self._visible_directories(directory):
                yield from self._expand(child.path, rest)
            return
        if segment == ANY_DEPTH:
            yield from files_below(self.tree, self.tree.entry(directory))
            return
        if is_glob(segment):
            found = [e for e in self.tree.children(directory) if fits(e.name, segment)]
        else:
            found = [self.tree.entry(joined(directory, segment))]
        for entry in found:
            if not rest:
                yield entry
            elif entry.kind is Kind.DIRECTORY:
                yield from self._expand(entry.path, rest)

    def _visible_directories(self, top: str) -> Iterator[Entry]:
        waiting = [(self.tree.entry(top), frozenset[object]())]
        while waiting:
            directory, above = waiting.pop()
            for child in self.tree.children(directory.path):
                loops = child.identity is not None and child.identity in above
                if child.kind is Kind.DIRECTORY and is_visible(child.name) and not loops:
                    yield child
                    waiting.append((child, above | {directory.identity, child.identity}))


def input_paths(path: str) -> Iterator[InputPath]:
    """Yields the paths that a user means; a name that exists means itself, whatever is in it.

    Raises:
        DataError: One of them is on no file system that can be opened.
    """
    for text in _listed(path):
        for glob in [text] if _is_there(text) else alternatives(text):
            yield _open(glob)


def may_be_read(path: str, file: StoragePath) -> bool:
    """Whether a path means a file, which need not exist: directly, by a directory, or by a glob.

    Links are followed.

    Raises:
        DataError: The path is on no file system that can be opened.
    """
    for part in input_paths(path):
        if isinstance(file, Path):
            inner, alike = str(file), isinstance(part.tree, LocalTree)
        else:
            inner, alike = file.inner, file.filesystem.type_name == part.filesystem.type_name
        if alike and part.may_read(inner):
            return True
    return False


def absolute_paths(path: str) -> str:
    """Returns the paths in a form that means the same in any working directory.

    Raises:
        UserError: There are credentials in a URI, which would be kept with the run.
    """
    parts = [_absolute(text) for text in _listed(path)]
    if len(parts) == 1 and _is_there(path) and "://" not in path:
        return _from_here(path, keep=False)
    return ",".join(parts)


def _absolute(text: str) -> str:
    check_no_credentials(text)
    if "://" in text:
        return text.replace(",", "%2C") if _is_there(text) else text
    if _is_there(text):
        return escaped(_from_here(text, keep=False))
    return _from_here(text, keep=True)


def _from_here(text: str, keep: bool) -> str:
    """Returns the absolute path.

    Args:
        text: Path.
        keep: Whether the path is a glob, so that what is put before it has to be escaped.
    """
    beginning = ""
    if _at_home(text) != text:
        name, slash, rest = text.partition("/")
        beginning, text = os.path.expanduser(name), slash + rest
    elif not os.path.isabs(text):
        beginning = os.getcwd().rstrip("/") + "/"
    whole = (escaped(beginning) if keep else beginning) + text
    plain = os.path.normpath(whole)
    if keep and ANY_DEPTH in text:
        return whole
    # Behind a link, .. is another directory than it seems.
    same = ".." not in text.split("/") or os.path.realpath(plain) == os.path.realpath(whole)
    return plain if same else whole


def _listed(path: str) -> list[str]:
    """Returns the paths of a list, each as long as it names something that exists."""
    if _is_there(path):
        return [path]
    pieces, listed = path.split(","), []
    while pieces:
        beginnings = [",".join(pieces[:count]).strip() for count in range(1, _LONGEST_NAME + 1)]
        there = [text for text in beginnings if "://" not in text and _is_there(text)]
        # A name that exists means itself; else commas in classes and braces belong to a glob.
        text = there[-1] if there else split_list(",".join(pieces[:_LONGEST_LIST]))[0].strip()
        count = beginnings.index(text) + 1 if there else text.count(",") + 1
        del pieces[:count]
        if text:
            listed.append(text)
    return listed


def _is_there(text: str) -> bool:
    """Whether a text, taken literally, is the path of something that exists."""
    if "://" not in text:
        return os.path.lexists(_at_home(text))
    plain, _ = split_query(text)
    if not is_glob(plain) and "," not in plain:
        return False
    try:
        path = _open(text, literal=True)
        return path.tree.entry(path.base).kind is not Kind.MISSING
    except (DataError, pa.ArrowException, OSError):
        return False


def _at_home(text: str) -> str:
    return text if os.path.lexists(text) else os.path.expanduser(text)


def _open(text: str, literal: bool = False) -> InputPath:
    if _NO_URI.match(text) and not os.path.lexists(text):
        raise DataError(f"{text}: a URI has two slashes; a pathlib.Path of it keeps but one")
    filesystem: Any = fs.LocalFileSystem()
    prefix, inner = "", _at_home(text)
    if "://" in text:
        try:
            filesystem, inner = open_uri(text)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{text}: cannot be listed: {first_line(error)}") from error
        written, inner = unquote(split_query(text)[0]).rstrip("/"), inner.rstrip("/") or "/"
        prefix = written.removesuffix(inner.lstrip("/")) if written.endswith(inner) else ""
    local = isinstance(filesystem, fs.LocalFileSystem)
    tree: Tree = LocalTree() if local else RemoteTree(filesystem)
    try:
        base, segments = (inner, ()) if literal else _split(tree, inner)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{text}: cannot be listed: {first_line(error)}") from error
    return InputPath(text, filesystem, tree, base.rstrip("/") or base, segments, prefix)


def _split(tree: Tree, path: str) -> tuple[str, tuple[str, ...]]:
    """Returns the base and the segments of a path."""
    if not is_glob(path) or tree.entry(path).kind is not Kind.MISSING:
        return path, ()
    base = "/" if path.startswith("/") else ""
    segments = [segment for segment in path.split("/") if segment]
    while segments:
        longer = joined(base, segments[0])
        if is_glob(segments[0]) and tree.entry(longer).kind is not Kind.DIRECTORY:
            break
        base = longer
        segments.pop(0)
    return base, tuple(segments)
