"""Whole directories: removed, copied, moved, uploaded, fetched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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


def copy_tree(
    source: StoragePath, to: StoragePath, wanted: Callable[[str], bool] = lambda name: True
) -> None:
    """Copies a directory, at any depth; what is removed meanwhile is left out.

    Args:
        source: Directory.
        to: Where its copy is to be, on the same storage; what is there is replaced file by file.
        wanted: Whether a name directly in the directory is copied.

    Raises:
        OSError: Something cannot be copied.
    """
    to.mkdir(parents=True, exist_ok=True)
    entries: list[StoragePath] = [*source.iterdir()]
    for entry in entries:
        if not wanted(entry.name):
            continue
        with suppress(FileNotFoundError):
            if entry.is_dir():
                copy_tree(entry, to / entry.name)
            elif isinstance(entry, Path):
                shutil.copyfile(entry, Path(str(to), entry.name))
            else:
                (to / entry.name).write_bytes(entry.read_bytes())


def move_tree(source: StoragePath, to: StoragePath) -> None:
    """Gives a directory another name on the same storage; on object storage all is copied.

    Raises:
        OSError: It is not moved.
    """
    if isinstance(source, Path):
        Path(str(to)).parent.mkdir(parents=True, exist_ok=True)
        source.rename(str(to))
        return
    copy_tree(source, to)
    remove_tree(source)
