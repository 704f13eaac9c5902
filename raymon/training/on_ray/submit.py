"""Submits a run to a Ray cluster as a job of Ray Jobs."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raymon.errors import RaymonError, RunError, first_line

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

STOPPED = 130
"""Exit code of a job that was stopped, the same as of a command after Ctrl-C."""

_FAILED = 1
_LOST_AFTER_S = 120.0
_LONGEST_PAUSE_S = 10.0


@dataclass(frozen=True)
class JobRequest:
    """A job to submit.

    Attributes:
        entrypoint: Command that the cluster runs.
        submission_id: Name of the job.
        runtime_env: Ray's runtime environment, with the user's code.
        metadata: Values that the dashboard shows for the run; never a secret.
    """

    entrypoint: str
    submission_id: str
    runtime_env: Mapping[str, Any]
    metadata: Mapping[str, str]


class SubmittedJob:
    """A job on a cluster, which continues whatever happens to this process.

    Args:
        client: Client of the cluster.
        submission_id: Name of the job.
    """

    def __init__(self, client: JobSubmissionClient, submission_id: str) -> None:
        self._client = client
        self.submission_id = submission_id
        self._shown = 0

    def follow(self, write: Callable[[str], None]) -> int:
        """Shows the log of the job until it ends, even if the connection breaks in between.

        Args:
            write: Takes pieces of the log.

        Returns:
            The exit code of the run; `STOPPED` if it was stopped.

        Raises:
            RunError: The cluster did not answer for two minutes.
        """
        from aiohttp import ClientError

        pause_s, answered = 1.0, time.monotonic()
        while True:
            try:
                asyncio.run(self._tail(write))
                info = self._client.get_job_info(self.submission_id)
                answered, pause_s = time.monotonic(), 1.0
                if info.status.is_terminal():
                    return self._exit_code(info, write)
            except (RuntimeError, OSError, ClientError) as error:
                if time.monotonic() - answered > _LOST_AFTER_S:
                    raise RunError(
                        f"{self.submission_id}: the cluster does not answer: {first_line(error)}; "
                        "the job goes on there"
                    ) from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def stop(self) -> None:
        """Stops the run; its checkpoints stay.

        Raises:
            RunError: The cluster does not answer.
        """
        try:
            self._client.stop_job(self.submission_id)
        except (RuntimeError, OSError) as error:
            raise RunError(f"{self.submission_id}: not stopped: {first_line(error)}") from None

    async def _tail(self, write: Callable[[str], None]) -> None:
        # A log that is requested again starts from its beginning.
        passed = 0
        async for piece in self._client.tail_job_logs(self.submission_id):
            new = piece[max(0, self._shown - passed) :]
            passed += len(piece)
            if new:
                write(new)
                self._shown = passed

    def _exit_code(self, info: Any, write: Callable[[str], None]) -> int:
        if info.status == "SUCCEEDED":
            return 0
        if info.status == "STOPPED":
            return STOPPED
        if info.driver_exit_code is None:
            # It did not even start, so the log does not say why.
            write(f"{info.message}\n")
        return int(info.driver_exit_code or _FAILED)


def submit(request: JobRequest, address: str) -> SubmittedJob:
    """Submits a job to a cluster.

    Args:
        request: Job to submit.
        address: Address of the dashboard, such as `http://HEAD:8265`.

    Raises:
        RunError: There is no cluster at the address, it does not accept the token, or it does not
            accept the job.
    """
    _use_token()
    from ray.exceptions import RayError
    from ray.job_submission import JobSubmissionClient

    from raymon.ray_internals import PACKAGING_LOGGER

    # Ray's own log lines are not about the run.
    for name in ("dashboard_sdk", "job.sdk"):
        logging.getLogger(f"ray.dashboard.modules.{name}").setLevel(logging.WARNING)
    logging.getLogger(PACKAGING_LOGGER).setLevel(logging.WARNING)
    try:
        client = JobSubmissionClient(address)
        name = client.submit_job(
            entrypoint=request.entrypoint,
            submission_id=request.submission_id,
            runtime_env=dict(request.runtime_env),
            metadata=dict(request.metadata),
        )
    except (RayError, RuntimeError, ValueError, OSError) as error:
        raise _refused(address, error) from None
    return SubmittedJob(client, name)


def _use_token() -> None:
    """Makes Ray send the token of the cluster with each request, if there is one."""
    # Ray looks for a token only with this mode set.
    given = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    kept = False
    with suppress(OSError, RuntimeError):  # some containers have no home directory
        kept = (Path.home() / ".ray" / "auth_token").is_file()
    if given or kept:
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _refused(address: str, error: Exception) -> RaymonError:
    text = str(error)
    if "Unauthorized" in text or "Forbidden" in text or "uthentication" in text:
        return RunError(
            f"--address {address}: the cluster does not know this token; give its own in "
            "RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH (on its head: ray get-auth-token)"
        )
    if isinstance(error, ConnectionError):
        return RunError(f"--address {address}: no Ray dashboard there: {first_line(error)}")
    return RunError(f"--address {address}: the job is not taken: {first_line(error)}")
