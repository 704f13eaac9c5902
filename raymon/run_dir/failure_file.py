"""The file that has all that is known of the failure of an attempt."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress

import pyarrow as pa

from raymon.storage import StoragePath


def failure_path(model_dir: StoragePath, what: int | str) -> StoragePath:
    """Returns the path of the file.

    Args:
        model_dir: Directory of the run.
        what: Number of the attempt that failed, or what else it was, such as "evaluation".
    """
    return model_dir / "monitor" / f"failure-{what}.txt"


def write_failure(text: str, model_dir: StoragePath | None, what: int | str) -> str | None:
    """Writes a failure into the directory of a run, or a temporary file if that cannot be.

    Args:
        text: All that is known of it.
        model_dir: Directory of the run; None if there is none.
        what: What failed; see `failure_path`.

    Returns:
        The path of the file; None if it could not be written.
    """
    if model_dir is not None:
        with suppress(OSError, pa.ArrowException):
            path = failure_path(model_dir, what)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode(errors="replace"))
            return str(path)
    with suppress(OSError):
        handle, temporary = tempfile.mkstemp(prefix="raymon-failure-", suffix=".txt")
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode(errors="replace"))
        return temporary
    return None


def naming(text: str, path: str | None) -> str:
    """Returns the line of a failure, with the file that has the rest of it."""
    return f"{text}; details are in {path}" if path else text
