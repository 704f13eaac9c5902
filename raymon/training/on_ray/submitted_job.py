"""A job of Ray Jobs: its log, followed through cut connections, and how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raymon.errors import AnswerError, RunError, first_line

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

STOPPED = 130
"""Exit code of a job that was stopped, the same as of a command after Ctrl-C."""

_FAILED = 1
_LOST_AFTER_S = 120.0
_LONGEST_PAUSE_S = 10.0
_SILENCE_S = (10.0, 300.0)
"""Seconds without a line, the first time and at most, after which the log is requested again: a
connection that was cut without a word is silent for ever."""

_UNREADABLE_AFTER = 3
"""Times that the log of a job that has ended is requested in vain before it is given up."""


@dataclass(frozen=True)
class JobEnd:
    """How a job ended.

    Attributes:
        status: `done`, `failed` or `stopped`.
        exit_code: Exit code of the run; `STOPPED` if it was stopped.
        why: Why there is no exit code of the run itself, in one line; empty if there is one.
    """

    status: str
    exit_code: int
    why: str = ""


class SubmittedJob:
    """A job on a cluster, which continues whatever happens to this process.

    Args:
        client: Client of the cluster.
        submission_id: Name of the job.
        model_dir: Directory of its run; empty if the job is not one of `raymon submit`.
    """

    def __init__(
        self, client: JobSubmissionClient, submission_id: str, model_dir: str = ""
    ) -> None:
        self._client = client
        self.submission_id = submission_id
        self.model_dir = model_dir
        self._shown = 0

    def follow(
        self, write: Callable[[str], None], tell: Callable[[str], None] = lambda _: None
    ) -> JobEnd:
        """Shows the log of the job until it ends, even if the connection breaks in between.

        Args:
            write: Takes pieces of the log, from its beginning.
            tell: Takes lines about the job that are not of its log.

        Raises:
            AnswerError: The cluster did not answer for two minutes, or does not know the job.
        """
        pause_s, silence_s, answered, unreadable = 1.0, _SILENCE_S[0], time.monotonic(), 0
        waits = False
        while True:
            shown = self._shown
            cut = self._read(write, silence_s)
            try:
                info = self._client.get_job_info(self.submission_id)
            except (RuntimeError, OSError) as error:
                self._check_known(error)
                if time.monotonic() - answered > _LOST_AFTER_S:
                    raise AnswerError(
                        f"{self.submission_id}: the cluster does not answer: {first_line(error)}; "
                        "the job goes on there"
                    ) from None
            else:
                answered = time.monotonic()
                if info.status.is_terminal():
                    unreadable += isinstance(cut, Exception)
                    if cut is None or unreadable >= _UNREADABLE_AFTER:
                        return self._end(info, cut, write, tell)
                if info.status == "PENDING" and not waits:
                    waits = True
                    tell(f"{self.submission_id} waits to begin: {info.message or 'no word why'}")
            if self._shown > shown:
                pause_s, silence_s = 1.0, _SILENCE_S[0]
            else:
                silence_s = min(2 * silence_s, _SILENCE_S[1])
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def stop(self) -> None:
        """Stops the run; its checkpoints stay.

        Raises:
            AnswerError: The cluster does not answer.
        """
        try:
            self._client.stop_job(self.submission_id)
        except (RuntimeError, OSError) as error:
            raise AnswerError(f"{self.submission_id}: not stopped: {first_line(error)}") from None

    def _read(self, write: Callable[[str], None], silence_s: float) -> Exception | float | None:
        """Shows the log, until its end or a cut.

        Returns:
            None at its end; what broke the connection; or the seconds for which nothing came.
        """
        from aiohttp import ClientError

        try:
            asyncio.run(self._tail(write, silence_s))
        except TimeoutError:
            return silence_s
        except (RuntimeError, OSError, ClientError) as error:
            return error
        return None

    async def _tail(self, write: Callable[[str], None], silence_s: float) -> None:
        # A log that is requested again starts from its beginning.
        passed = 0
        pieces: AsyncIterator[str] = self._client.tail_job_logs(self.submission_id)
        while True:
            try:
                piece = await asyncio.wait_for(anext(pieces), silence_s)
            except StopAsyncIteration:
                return
            new = piece[max(0, self._shown - passed) :]
            passed += len(piece)
            if new:
                write(new)
                self._shown = passed

    def _check_known(self, error: Exception) -> None:
        if "404" in str(error) and "does not exist" in str(error):
            raise AnswerError(
                f"{self.submission_id}: the cluster does not know this job any more; was it "
                "started again?"
            ) from None

    def _end(
        self,
        info: Any,
        cut: Exception | float | None,
        write: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> JobEnd:
        if isinstance(cut, Exception):
            tell(f"{self.submission_id}: its log cannot be read to its end: {first_line(cut)}")
        if info.status == "SUCCEEDED":
            return JobEnd("done", 0)
        if info.status == "STOPPED":
            return JobEnd("stopped", STOPPED)
        if info.driver_exit_code is None:
            # It did not start, or it was taken away, so the log does not say why.
            why = (info.message or "the cluster does not say why").strip()
            if len(lines := why.splitlines()) > 1:
                write(f"{why}\n")
            return JobEnd("failed", _FAILED, lines[0])
        code = int(info.driver_exit_code)
        # Of a process that a signal ended, as a shell has it.
        return JobEnd("failed", 128 - code if code < 0 else code or _FAILED)


def find_job(client: JobSubmissionClient, job: str, address: str) -> SubmittedJob:
    """Returns a job that was submitted earlier.

    Args:
        client: Client of the cluster.
        job: Name of the job.
        address: Address of the dashboard, for messages.

    Raises:
        RunError: The cluster has no such job, or it was not submitted.
    """
    try:
        info = client.get_job_info(job)
    except (RuntimeError, OSError) as error:
        if "404" not in str(error):
            raise RunError(f"--address {address}: {first_line(error)}") from None
        raise RunError(
            f"--logs {job}: no such job at {address}; `ray job list` has those that it knows"
        ) from None
    if info.submission_id is None:
        raise RunError(f"--logs {job}: it was not submitted, so the cluster keeps no log of it")
    return SubmittedJob(client, info.submission_id, (info.metadata or {}).get("model_dir", ""))
