"""Whole directories: removed, uploaded, fetched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raymon.storage.object_path import ObjectPath
from raymon.storage.paths import StoragePath


def remove_tree(path: StoragePath) -> None:
    """Removes a directory.

    Raises:
        OSError: It does not exist, or something of it is left.
    """
    if isinstance(path, Path):
        shutil.rmtree(path)
    else:
        path.remove_tree()


def file_sizes(path: StoragePath) -> dict[str, int]:
    """Returns the sizes in bytes of the files directly in a directory, by name.

    There are none if it does not exist.

    Raises:
        OSError: They cannot be determined.
    """
    if not isinstance(path, Path):
        return path.sizes()
    if not path.is_dir():
        return {}
    return {entry.name: entry.stat().st_size for entry in path.iterdir() if entry.is_file()}


def upload(directory: Path, to: ObjectPath) -> None:
    """Writes all files of a directory of this machine, at any depth, to object storage.

    Raises:
        OSError: Not all files were written.
    """
    for file in sorted(file for file in directory.rglob("*") if file.is_file()):
        (to / file.relative_to(directory).as_posix()).upload(file)


@contextmanager
def fetched(path: StoragePath) -> Iterator[Path]:
    """Yields a directory without subdirectories, on this machine as long as it is used.

    Raises:
        OSError: It cannot be read.
    """
    if isinstance(path, Path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="raymon-") as here:
        for name in path.sizes():
            (path / name).download(Path(here, name))
        yield Path(here)
