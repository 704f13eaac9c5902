"""Failures of ranks: in one line with the place, and with the whole traceback."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Sequence

from raymon.code_location import describe
from raymon.errors import RaymonError, TrainingError, UserError, first_line
from raymon.training.rank.worker_context import ANOTHER_WORKER

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
        details: The traceback, or what else is known.
        rank: Number of the rank.
    """

    def __init__(self, text: str, details: str = "", rank: int = 0) -> None:
        super().__init__(text, details, rank)
        self.details = details
        self.rank = rank

    def __str__(self) -> str:
        """Returns what went wrong."""
        return str(self.args[0])


def full_traceback(error: BaseException) -> str:
    """Returns the traceback, with those of the causes."""
    known = getattr(error, "details", "")
    return known or "".join(traceback.format_exception(error))


def is_peer_failure(error: BaseException) -> bool:
    """Returns whether an error was caused by a failure of another rank."""
    text = str(error)
    peer_gone = any(sign in text.lower() for sign in _PEER_GONE)
    return ANOTHER_WORKER in text or (peer_gone and not isinstance(error, UserError))


def as_rank_failure(error: Exception, rank: int) -> RaymonError:
    """Returns a failure of one of several ranks as an error that can be sent.

    Errors in what the user gave stay as they are.
    """
    if isinstance(error, UserError | RankFailedError):
        return error
    where = f"rank {rank} on {socket.gethostname()}"
    # Errors of raymon say themselves what they are about.
    text = first_line(error) if isinstance(error, RaymonError) else f"{where}: {describe(error)}"
    return RankFailedError(text, f"{where}, pid {os.getpid()}\n{full_traceback(error)}", rank)


def first_cause(errors: Sequence[RaymonError]) -> RaymonError | None:
    """Returns the error of several ranks that says most about the cause; None if there is none."""
    ranked = sorted(errors, key=lambda e: (not isinstance(e, UserError), is_peer_failure(e)))
    return ranked[0] if ranked else None
