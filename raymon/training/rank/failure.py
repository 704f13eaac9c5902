"""Describes failures: in one line with the place, and in a file with the whole traceback."""

from __future__ import annotations

import os
import socket
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from raymon.code_location import describe
from raymon.errors import RaymonError, TrainingError, UserError
from raymon.storage import StoragePath
from raymon.training.rank.worker_context import ANOTHER_WORKER

ERRORS = Path("monitor", "errors")
"""Directory for tracebacks in the directory of a run, with one file for each failure."""

_PEER_GONE = (
    "closed by peer",
    "reset by peer",
    "broken pipe",
    "remote process exited",
    "socket closed",
    "connection closed",
)


class RankFailedError(TrainingError):
    """A failure of a rank, as it is sent to the driver.

    Args:
        text: What went wrong, in one line.
        traceback_text: The traceback.
    """

    def __init__(self, text: str, traceback_text: str = "") -> None:
        super().__init__(text)
        self.traceback_text = traceback_text


def full_traceback(error: BaseException) -> str:
    """Returns the traceback, with those of the causes."""
    known = getattr(error, "traceback_text", "")
    return known or "".join(traceback.format_exception(error))


def is_peer_failure(error: BaseException) -> bool:
    """Returns whether an error was caused by a failure of another rank."""
    text = str(error)
    peer_gone = any(sign in text.lower() for sign in _PEER_GONE)
    return ANOTHER_WORKER in text or (peer_gone and not isinstance(error, UserError))


def as_rank_failure(error: Exception, rank: int) -> RaymonError:
    """Returns a failure of one of several ranks as an error that can be sent.

    Errors of raymon stay as they are.
    """
    if isinstance(error, RaymonError):
        return error
    return RankFailedError(
        f"rank {rank} on {socket.gethostname()}: {describe(error)}", full_traceback(error)
    )


def write_traceback(text: str, model_dir: StoragePath | None) -> str | None:
    """Writes a traceback to a file: in the directory of a run, or else in a temporary directory.

    Args:
        text: The traceback.
        model_dir: Directory of the run; None if there is none.

    Returns:
        The path of the file; None if it could not be written.
    """
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    if model_dir is not None:
        with suppress(OSError, pa.ArrowException):
            path = model_dir / str(ERRORS) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            return str(path)
    with suppress(OSError):
        handle, temporary = tempfile.mkstemp(prefix="raymon-error-", suffix=".txt")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        return temporary
    return None


def describe_and_record(error: BaseException, model_dir: StoragePath | None = None) -> str:
    """Writes the traceback to a file, and describes the error in one line that names the file."""
    path = write_traceback(full_traceback(error), model_dir)
    return describe(error) + (f"; the traceback is in {path}" if path else "")


def first_cause(errors: Sequence[RaymonError]) -> RaymonError | None:
    """Returns the error of several ranks that says most about the cause; None if there is none."""
    ranked = sorted(errors, key=lambda e: (not isinstance(e, UserError), is_peer_failure(e)))
    return ranked[0] if ranked else None
