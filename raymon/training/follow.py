"""Follows a run from the driver until it ends, and writes how it ended."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from typing import Protocol

from raymon.errors import (
    ClusterLostError,
    RaymonError,
    RunError,
    TrainingError,
    UserError,
    reason,
)
from raymon.log import log_to_files
from raymon.reporter import (
    Attempts,
    Listener,
    Progress,
    RunFile,
    RunLink,
    Session,
    Summary,
    with_verdict,
)
from raymon.results import AttemptFailed, Failure, ReporterStatus, RunEnded
from raymon.retries import retrying
from raymon.runs import DIVERGED, DONE, FAILED, INTERRUPTED, STOPPED
from raymon.sinks import BackgroundSink, Console, LiveOutput, make_alert_hooks
from raymon.storage import StoragePath, storage_path
from raymon.training.checkpoint.manifest import newest_checkpoint
from raymon.training.hangs.response import HangResponse
from raymon.training.on_demand.desk import Desk, Stacks
from raymon.training.on_demand.mailbox import FileMailbox, Mailbox
from raymon.training.on_demand.rank_desk import RankLink
from raymon.training.on_demand.request import DONE as ANSWERED
from raymon.training.on_demand.request import Answer
from raymon.training.on_demand.run_status import asked_status, checkpoint_status
from raymon.training.prepare import RunPlan
from raymon.training.run_failure import line_of_run
from raymon.training.run_files_backup import RunFilesBackup
from raymon.training.summary import summarise

_log = logging.getLogger("raymon")

_SUMMARY_PAUSES_S = (1.0, 3.0, 10.0)
"""Seconds between attempts to write the summary."""

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors that another attempt a moment later does not fix."""


class DriverLink(RunLink, RankLink, Protocol):
    """The driver's connection to the reporter."""

    def publish_failure(self, failure: Failure) -> AttemptFailed:
        """Publishes the failure of the attempt, and writes all that is known of it to a file."""

    def publish_notice(self, text: str) -> Future[None]:
        """Shows a line to those who watch the run."""

    def close(self, ended: RunEnded | None = None) -> ReporterStatus:
        """Publishes what is left, closes the sinks, and returns the last status.

        Args:
            ended: How the run ended, for the sinks that take it.
        """


def follow(
    plan: RunPlan,
    work: Callable[[Callable[[], None]], None],
    reporter: DriverLink,
    terminal: LiveOutput | None,
    backup: RunFilesBackup,
    session: Session,
    mailboxes: Sequence[Mailbox],
    stacks: Stacks,
    hangs: HangResponse,
    listener: Listener | None = None,
) -> Summary:
    """Shows a run while it goes on, and writes its summary when it has ended.

    Args:
        plan: Plan of the run.
        work: Trains, and returns when that is done; it is given what to call as soon as it is
            interrupted.
        reporter: Connection to the reporter.
        terminal: Terminal or notebook to draw on; None for log lines.
        backup: Files of an earlier run, which come back if this one was refused.
        session: The session that begins.
        mailboxes: Where people ask for something while it goes on, beside its directory.
        stacks: Takes the stacks of its workers.
        hangs: What is done about hangs.
        listener: Called with all that is published.

    Raises:
        UserError: What the user gave is wrong.
        TrainingError: The run failed.
    """
    interval_s = plan.config.monitor_config.progress_interval_s
    console = Console(plan.total_steps, interval_s, terminal)
    hooks = [
        *make_alert_hooks(plan.config.monitor_config, plan.config.model_dir),
        BackgroundSink(hangs, tries=1),
    ]
    progress = Progress(reporter, console, hooks, Attempts(session.attempts), listener)
    model_dir = storage_path(plan.config.model_dir)
    with (
        Desk(
            model_dir,
            [FileMailbox(model_dir), *mailboxes],
            reporter,
            lambda: progress.attempt.attempt if progress.attempt is not None else 0,
            lambda: asked_status(model_dir, plan.total_steps, progress, reporter),
            stacks,
        ) as desk,
        RunFile(
            model_dir,
            session,
            plan.total_steps,
            progress,
            reporter,
            partial(summarise, plan, session, progress),
            lambda: checkpoint_status(model_dir),
        ) as run_file,
    ):
        return _follow_to_end(plan, work, reporter, backup, progress, desk, run_file)


def _follow_to_end(
    plan: RunPlan,
    work: Callable[[Callable[[], None]], None],
    reporter: DriverLink,
    backup: RunFilesBackup,
    progress: Progress,
    desk: Desk,
    run_file: RunFile,
) -> Summary:
    model_dir, process = storage_path(plan.config.model_dir), os.getpid()
    status, error_text = FAILED, None
    reported: ReporterStatus | None = None

    def interrupted() -> None:
        # Written first, because the user who interrupts the run may not wait any longer.
        with suppress(RaymonError, OSError):
            run_file.write_ahead(INTERRUPTED)

    try:
        with progress:
            is_lost = False
            try:
                work(interrupted)
                status = DONE
            except (KeyboardInterrupt, SystemExit):
                status = INTERRUPTED
                raise
            except ClusterLostError as error:
                is_lost = True
                status = INTERRUPTED if error.interrupted else FAILED
                raise
            finally:
                if os.getpid() == process:
                    run_file.close()
                    ended = _ended(status, plan, progress, desk)
                    reported = None if is_lost else _close(reporter, ended)
    except BaseException as error:
        if os.getpid() != process:
            # A process forked during the run must not end the run.
            raise
        if status == FAILED:
            error_text = line_of_run(
                error,
                progress.failure,
                reporter,
                model_dir,
                progress.attempt.attempt if progress.attempt is not None else 1,
            )
            log_to_files(logging.ERROR, error_text, event="failed")
        # What ended the run is raised, even if its summary could not be written.
        with suppress(RaymonError):
            write_summary(lambda: with_verdict(run_file.summarise(status, reported, error_text)))
        refused = isinstance(error, UserError) and progress.last is None and backup.has_earlier_run
        if refused:
            backup.restore(summary=isinstance(error, RunError))
        else:
            _log_how_to_resume(status, model_dir)
        if error_text is None or isinstance(error, ClusterLostError | UserError):
            raise
        raise TrainingError(error_text) from error
    summary = write_summary(
        lambda: with_verdict(_as_stopped(run_file.summarise(status, reported), plan, desk))
    )
    log_to_files(logging.INFO, f"The run is {summary.status}", event="end", **asdict(summary))
    _tell_stopped(summary, desk)
    if summary.status == DIVERGED:
        _log.error(
            "Diverged: the losses are NaN or infinite from step %d to the end, at step %d; a lower "
            "learning rate or grad_clipping may help",
            summary.diverged_since,
            summary.steps,
        )
    if (
        backup.has_earlier_run
        and status == DONE
        and progress.last is None
        and not summary.stopped_early
    ):
        _log.warning(
            "No step was left to make: the run has made %d, and its config asks for no more",
            summary.steps,
        )
    return summary


def _as_stopped(summary: Summary, plan: RunPlan, desk: Desk) -> Summary:
    """Returns the summary of a run that ended well, as stopped if it was asked to stop."""
    is_whole = _is_whole(plan, summary.steps)
    if summary.stopped_early is not None or not desk.was_stopped(is_whole):
        return summary
    return replace(summary, status=STOPPED)


def _is_whole(plan: RunPlan, steps: int) -> bool | None:
    return None if plan.total_steps is None else steps >= plan.total_steps


def _tell_stopped(summary: Summary, desk: Desk) -> None:
    if summary.status == STOPPED:
        text = f"step {summary.steps} is saved; --resume goes on from there"
        _log.info("Stopped as asked: %s", text)
        desk.end = Answer(ANSWERED, f"stopped: {text}")
    else:
        desk.end = Answer(ANSWERED, f"{summary.status}: it ended at step {summary.steps} by itself")


def write_summary(summarised: Callable[[], Summary]) -> Summary:
    """Writes a summary into the directory of the run, and retries if that fails for a moment.

    Raises:
        TrainingError: It is not written.
    """

    def write() -> Summary:
        return summarised().write()

    def may_pass(error: BaseException) -> bool:
        is_of_storage = isinstance(error, (OSError, RunError))
        return is_of_storage and getattr(error, "errno", None) not in _NO_SPACE

    try:
        return retrying(_SUMMARY_PAUSES_S, may_pass)(write)
    except (OSError, RunError) as error:
        raise TrainingError(f"the summary is not written: {reason(error)}") from None


def _log_how_to_resume(status: str, model_dir: StoragePath) -> None:
    newest = None
    with suppress(RunError):
        newest = newest_checkpoint(model_dir)
    if newest is not None:
        _log.warning("%s; --resume goes on from step %d", status.capitalize(), newest.step)


def _ended(status: str, plan: RunPlan, progress: Progress, desk: Desk) -> RunEnded:
    """Returns how a run ended as far as it is known before the reporter is closed."""
    if status == DONE and progress.diverged_since is not None:
        status = DIVERGED
    elif status == DONE and desk.was_stopped(_is_whole(plan, progress.attempts.reached)):
        status = STOPPED
    error, failure = sys.exception(), progress.failure
    if status != FAILED or error is None:
        return RunEnded(status)
    return RunEnded(status, reason(error) if failure is None else failure.text)


def _close(reporter: DriverLink, ended: RunEnded) -> ReporterStatus | None:
    try:
        return reporter.close(ended)
    except Exception as error:  # a dead reporter must not fail the run
        _log.warning("The reporter could not be closed: %s", type(error).__name__)
        return None
