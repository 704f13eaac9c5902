"""Measures the storage of a run: whether it works, is shared, and how fast it is."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from raymon.errors import first_line
from raymon.storage import StoragePath, storage_path
from raymon.training.doctor.facts import StorageFacts

_PIECE_BYTES = 4 << 20
_MOST_BYTES = 64 << 20
_OBJECT_BYTES = 16 << 20
_MOST_S = 3.0
"""Seconds that writing and reading take at most, each, but for one piece."""

_SMALL = 5


@dataclass(frozen=True)
class Mark:
    """A file that the driver wrote, by which other machines see that they share its storage.

    Attributes:
        directory: Directory of the run, or the nearest one above it that is there.
        name: Name of the file.
    """

    directory: str
    name: str

    def remove(self) -> None:
        """Removes the file."""
        with suppress(OSError, pa.ArrowException):
            (storage_path(self.directory) / self.name).unlink()


def try_storage(model_dir: StoragePath, host: str) -> tuple[StorageFacts, Mark | None]:
    """Writes and reads in the directory of a run, or the nearest one above it that is there.

    Args:
        model_dir: Directory of the run.
        host: Name of this machine.

    Returns:
        The facts, and a mark that is there until it is removed; None if nothing can be written.
    """
    directory = _existing(model_dir)
    facts = StorageFacts(host, str(model_dir), free_bytes=_free(directory))
    mark = Mark(str(directory), f".raymon-doctor-{uuid.uuid4().hex}")
    try:
        (directory / mark.name).write_bytes(mark.name.encode())
        return _with_rates(facts, directory), mark
    except (OSError, pa.ArrowException) as error:
        mark.remove()
        return replace(facts, error=f"cannot be written: {_why(error)}"), None


def look_for_mark(model_dir: str, mark: Mark, host: str, *, measures: bool = True) -> StorageFacts:
    """Returns what another machine sees of the storage of a run, on that machine.

    Args:
        model_dir: Directory of the run.
        mark: What the driver wrote.
        host: Name of the machine.
        measures: Whether rates are measured.
    """
    facts, directory = StorageFacts(host, model_dir), storage_path(mark.directory)
    try:
        there = (directory / mark.name).read_bytes() == mark.name.encode()
    except FileNotFoundError:
        there = False
    except (OSError, pa.ArrowException) as error:
        return replace(facts, error=f"cannot be read: {_why(error)}")
    if not there:
        return replace(facts, is_shared=False)
    facts = replace(facts, free_bytes=_free(directory))
    try:
        return _with_rates(facts, directory) if measures else facts
    except (OSError, pa.ArrowException) as error:
        return replace(facts, error=f"cannot be written: {_why(error)}")


def _with_rates(facts: StorageFacts, directory: StoragePath) -> StorageFacts:
    path = directory / f".raymon-doctor-{uuid.uuid4().hex}"
    try:
        size, write_s = _write(path)
        read_s = _read(path)
        begun = time.perf_counter()
        for _ in range(_SMALL):
            path.write_bytes(b"x")
            path.unlink()
        small_s = (time.perf_counter() - begun) / _SMALL
    finally:
        with suppress(OSError, pa.ArrowException):
            path.unlink(missing_ok=True)
    return replace(
        facts,
        write_bytes_per_s=size / write_s,
        read_bytes_per_s=size / read_s,
        small_write_s=small_s,
    )


def _write(path: StoragePath) -> tuple[int, float]:
    """Writes a file to its disk; returns its bytes, and the seconds."""
    piece, begun = os.urandom(_PIECE_BYTES), time.perf_counter()
    if not isinstance(path, Path):
        path.write_bytes(piece * (_OBJECT_BYTES // _PIECE_BYTES))
        return _OBJECT_BYTES, time.perf_counter() - begun
    size = 0
    with path.open("wb") as file:
        while size < _MOST_BYTES and time.perf_counter() - begun < _MOST_S:
            file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            size += _PIECE_BYTES
        # What is read next has to come from the disk.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return size, time.perf_counter() - begun


def _read(path: StoragePath) -> float:
    begun = time.perf_counter()
    path.read_bytes()
    return max(time.perf_counter() - begun, 1e-9)


def _existing(model_dir: StoragePath) -> StoragePath:
    directory = model_dir
    while isinstance(directory, Path) and not directory.is_dir():
        directory = directory.parent
    return directory


def _free(directory: StoragePath) -> int | None:
    if not isinstance(directory, Path):
        return None
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None


def _why(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return text or first_line(error)
