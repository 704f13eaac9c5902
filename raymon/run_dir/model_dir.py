"""Checks of the directory that a run writes to."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pyarrow as pa

from raymon.errors import RunError, first_line
from raymon.storage import ObjectPath, StoragePath


def check_writable(model_dir: StoragePath) -> None:
    """Checks that a directory can be written to, or made.

    Raises:
        RunError: It cannot be written to.
    """
    if not isinstance(model_dir, Path):
        _check_storage(model_dir)
        return
    existing = model_dir
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        raise RunError(f"{model_dir}: cannot be written: {existing} is a file")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise RunError(f"{model_dir}: cannot be written: no permission to write to {existing}")


def _check_storage(model_dir: ObjectPath) -> None:
    # On object storage only writing an object shows whether one can be written.
    probe = model_dir / f".writable-{uuid.uuid4().hex}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"{model_dir}: cannot be written: {first_line(error)}") from None
