"""Writes a file whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raymon.storage.paths import StoragePath


def write_whole(path: StoragePath, data: bytes) -> None:
    """Makes a file hold `data`, durable when it returns; its directory is made where it is missing.

    Raises:
        OSError: The file is as it was.
    """
    if not isinstance(path, Path):
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def drafted(path: StoragePath) -> Iterator[Path]:
    """A file of this machine to write to. It becomes the one at `path` at the end of the block, and
    goes where the block raises.

    Raises:
        OSError: The file at `path` is as it was.
    """
    if not isinstance(path, Path):
        with tempfile.TemporaryDirectory(prefix="raymon-") as here:
            draft = Path(here, "draft")
            yield draft
            path.upload(draft)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
