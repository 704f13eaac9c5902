"""A job of `raymon submit`, once the cluster has it: followed to its end, or left."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click

from raymon.cli.streams import say

if TYPE_CHECKING:
    from raymon.cli.signals import Signals
    from raymon.training.on_ray.submitted_job import SubmittedJob


class JobWatch:
    """Shows a job and ends the command as the job ended.

    Args:
        job: Job that the cluster has accepted.
        address: Address of the dashboard.
        as_json: Whether one JSON object is the output, and lines go to stderr.
        signals: Signals of the command; None outside of one.
    """

    def __init__(
        self, job: SubmittedJob, address: str, *, as_json: bool, signals: Signals | None
    ) -> None:
        self._job = job
        self._address = address
        self._as_json = as_json
        self._signals = signals

    def follow(self) -> NoReturn:
        """Shows the lines of the job until it ends, and exits with its exit code."""
        job, write = self._job, partial(say, nl=False, err=self._as_json)
        while True:
            try:
                end = job.follow(write, partial(say, err=True))
                break
            except KeyboardInterrupt:
                self._interrupted()
        if end.status != "done":
            how = end.why or f"exit code {end.exit_code}"
            said = "stopped" if end.status == "stopped" else f"failed: {how}"
            say(f"raymon: {job.submission_id}: {said}", err=True)
        if self._as_json:
            self._print_json(end.status, end.exit_code, end.why)
        sys.exit(end.exit_code)

    def leave(self, *, err: bool = False) -> None:
        """Says how to come back to the job, which goes on.

        Args:
            err: Whether the lines go to stderr, because the command did not end as it should.
        """
        if self._as_json:
            self._print_json("submitted", None, "")
        say(f"{self._job.submission_id} goes on; to", err=err or self._as_json)
        for name, command in self._commands().items():
            say(f"  {name.replace('_', ' '):<15}{command}", err=err or self._as_json)

    def _interrupted(self) -> None:
        """Asks at Ctrl-C whether to stop the job; exits if it should continue alone."""
        code = 130
        if self._signals is not None:
            code = self._signals.exit_code
            self._signals.forget()
        choice = "leave"
        if sys.stdin.isatty():
            try:
                choice = click.prompt(
                    "\nStop the run, leave it running, or go on watching",
                    type=click.Choice(["stop", "leave", "watch"]),
                    default="leave",
                    err=True,
                )
            except click.Abort:
                choice = "leave"
        if choice == "leave":
            self.leave(err=True)
            # Not 0, which says that the run is done.
            sys.exit(code)
        if choice == "stop":
            self._job.stop()
            say(f"{self._job.submission_id}: stopping", err=True)

    def _commands(self) -> dict[str, str]:
        """Returns the commands that come back to the job, by what they do."""
        from raymon.training.on_ray.job_client import uses_token

        name, address = shlex.quote(self._job.submission_id), shlex.quote(self._address)
        commands = {"follow_it": f"raymon submit --logs {name} --address {address}"}
        if self._job.model_dir:
            commands["save_and_stop"] = f"raymon stop {shlex.quote(self._job.model_dir)}"
        token = "RAY_AUTH_MODE=token " if uses_token() else ""
        commands["stop_at_once"] = f"{token}ray job stop --address {address} {name}"
        return commands

    def _print_json(self, status: str, exit_code: int | None, why: str) -> None:
        from raymon.storage import to_json

        content = {
            "job_id": self._job.submission_id,
            "address": self._address,
            "model_dir": self._job.model_dir or None,
            "status": status,
            "exit_code": exit_code,
            "why": why or None,
            "commands": self._commands() if exit_code is None else {},
        }
        say(to_json(content))
