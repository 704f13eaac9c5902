"""What went wrong inside, and where: in one line, and whole in a file."""

from __future__ import annotations

import os
import socket
import sysconfig
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from raymon import errors
from raymon.errors import RaymonError, TrainingError, UserError, reason
from raymon.storage import StoragePath
from raymon.training.rank.worker_context import ANOTHER_WORKER

ERRORS = Path("monitor", "errors")
"""Of the directory of a run: whole tracebacks, one file a failure."""

_RAYMON = str(Path(errors.__file__).parent) + os.sep
_INSTALLED = tuple(
    {os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")}
    | {f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"}
)
_OF_A_PEER = (
    "closed by peer",
    "reset by peer",
    "broken pipe",
    "remote process exited",
    "socket closed",
    "connection closed",
)


class RankFailedError(TrainingError):
    """What went wrong on a rank of a run, as it travels to the driver.

    Args:
        text: In one line.
        traceback_text: The traceback.
    """

    def __init__(self, text: str, traceback_text: str = "") -> None:
        super().__init__(text)
        self.traceback_text = traceback_text


def error_location(error: BaseException) -> str:
    """The nearest frame of the user's code that raymon called, or of raymon's, or of whoever's, as
    `my_models.py:12 in predict`; empty where none is known."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename[:1] != "<"
    ]
    first = next((i for i, frame in enumerate(frames) if _is_of_raymon(frame)), len(frames))
    of_user = [f for f in frames[first:] if not (_is_of_raymon(f) or _is_installed(f))]
    nearest = (of_user or [f for f in frames if _is_of_raymon(f)] or frames)[-1:]
    return "".join(f"{_shown(f.filename)}:{f.lineno} in {f.name}" for f in nearest)


def describe(error: BaseException) -> str:
    """What went wrong and where, in one line; what raymon says itself has its place in it."""
    where = "" if isinstance(error, RaymonError) else error_location(error)
    return f"{reason(error)} ({where})" if where else reason(error)


def full_traceback(error: BaseException) -> str:
    """The traceback, with those of what it came from."""
    known = getattr(error, "traceback_text", "")
    return known or "".join(traceback.format_exception(error))


def is_peer_failure(error: BaseException) -> bool:
    """Whether it went wrong here because it did on another rank."""
    text = str(error)
    lost = any(sign in text.lower() for sign in _OF_A_PEER)
    return ANOTHER_WORKER in text or (lost and not isinstance(error, UserError))


def as_rank_failure(error: Exception, rank: int) -> RaymonError:
    """What went wrong on a rank of several, as an error that travels; what raymon says itself stays
    what it is."""
    if isinstance(error, RaymonError):
        return error
    return RankFailedError(
        f"rank {rank} on {socket.gethostname()}: {describe(error)}", full_traceback(error)
    )


def write_traceback(text: str, model_dir: StoragePath | None) -> str | None:
    """Writes a traceback to a file: in the directory of a run, else in a temporary one.

    Returns:
        Its path; None where there is no place to write to.
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
    """What went wrong and where, in one line, which names the file with the whole of it."""
    path = write_traceback(full_traceback(error), model_dir)
    return describe(error) + (f"; the traceback is in {path}" if path else "")


def first_cause(errors: Sequence[RaymonError]) -> RaymonError | None:
    """Of the errors of several ranks the one that knows most of the cause."""
    ranked = sorted(errors, key=lambda e: (not isinstance(e, UserError), is_peer_failure(e)))
    return ranked[0] if ranked else None


def _is_of_raymon(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(_RAYMON)


def _is_installed(frame: traceback.FrameSummary) -> bool:
    path = os.path.realpath(frame.filename)
    return any(path.startswith(part) or part in path for part in _INSTALLED)


def _shown(filename: str) -> str:
    with suppress(ValueError):
        return str(Path(filename).relative_to(Path.cwd()))
    return filename
