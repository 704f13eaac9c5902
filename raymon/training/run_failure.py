"""The line that a failed run ends with, and the file that it names."""

from __future__ import annotations

import os
import socket
from typing import Protocol

from raymon.code_location import describe
from raymon.errors import ClusterLostError, UserError, reason
from raymon.results import AttemptFailed, Failure
from raymon.run_dir import naming, write_failure
from raymon.storage import StoragePath
from raymon.training.rank.failure import RankFailedError, full_traceback


class FailurePublisher(Protocol):
    """A reporter that takes failures."""

    def publish_failure(self, failure: Failure) -> AttemptFailed:
        """Publishes a failure, and writes all that is known of it to a file."""


def line_of_run(
    error: BaseException,
    known: AttemptFailed | None,
    reporter: FailurePublisher,
    model_dir: StoragePath,
    attempt: int,
) -> str:
    """Returns why a run failed, in one line that names the file with all that is known of it.

    There is no file of what the user gave, whose errors say all themselves, and of a cluster that
    is gone.

    Args:
        error: What ended the run.
        known: The failure of the attempt, if it has been published.
        reporter: Reporter of the run.
        model_dir: Directory of the run.
        attempt: Number of the attempt, for the case that the reporter does not answer.
    """
    if isinstance(error, UserError | ClusterLostError):
        return reason(error)
    if known is not None and not known.goes_on:
        return known.text
    failure = Failure(describe(error), _details(error))
    try:
        return reporter.publish_failure(failure).text
    except Exception:  # a reporter that is gone does not hide the failure
        return line_of(error, model_dir, attempt)


def line_of(error: BaseException, model_dir: StoragePath | None, what: int | str) -> str:
    """Returns a failure in one line that names the file with its traceback.

    Args:
        error: The failure.
        model_dir: Directory of the run; None if there is none.
        what: What failed; see `raymon.run_dir.failure_path`.
    """
    if isinstance(error, UserError | ClusterLostError):
        return reason(error)
    text = describe(error)
    return naming(text, write_failure(f"{text}\n\n{_details(error)}", model_dir, what))


def _details(error: BaseException) -> str:
    """Returns the traceback, after the process that it is of."""
    if isinstance(error, RankFailedError):
        return error.details or full_traceback(error)
    return f"{socket.gethostname()}, pid {os.getpid()}\n{full_traceback(error)}"
