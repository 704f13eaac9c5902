"""Converts the path or URI that a user writes to a path object."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

from raymon.errors import RunError, first_line
from raymon.storage.object_path import ObjectPath
from raymon.storage.uri import open_uri, split_query, with_few_tries

StoragePath = Path | ObjectPath

_SLASH_LOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")


def storage_path(path: str | os.PathLike[str] | ObjectPath) -> StoragePath:
    """Returns the path object of a path or URI, on this machine or on object storage.

    A URI of another scheme than `file` is on object storage.

    Raises:
        UserError: It holds credentials, or is no URI that pyarrow opens.
    """
    if isinstance(path, ObjectPath):
        return path
    text = os.fspath(path)
    if _SLASH_LOST.match(text):
        raise RunError(f"{text}: a URI has two slashes; a pathlib.Path of it keeps but one")
    if "://" not in text:
        return _at_home(Path(text))
    if text.startswith("file://"):
        return Path(unquote(text.removeprefix("file://").removeprefix("localhost")))
    base, query = split_query(text)
    base = base.rstrip("/")
    try:
        filesystem, inner = open_uri(base + query)
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"{text}: cannot be opened: {first_line(error)}") from None
    return ObjectPath(with_few_tries(filesystem), inner.rstrip("/"), base, query)


def absolute(path: StoragePath) -> StoragePath:
    """Returns the path in a form that means the same in any working directory."""
    if not isinstance(path, Path):
        return path
    whole = _at_home(path)
    plain = os.path.abspath(whole)
    # Behind a link, .. is another directory than it seems.
    same = ".." not in whole.parts or os.path.realpath(plain) == os.path.realpath(whole)
    return Path(plain) if same else whole.absolute()


def _at_home(path: Path) -> Path:
    """Returns a path in which ~ is the home directory, unless something has that name."""
    return path if os.path.lexists(path) else Path(os.path.expanduser(path))
