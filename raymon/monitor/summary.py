"""The summary of a run with a custom training loop, by its progress and its reporter."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.reporter import Progress, Session, Summary, closed, newest_numbers, with_counts
from raymon.results import ReporterStatus
from raymon.runs import DIVERGED, DONE, RUNNING
from raymon.storage import StoragePath


def summarise(
    directory: StoragePath,
    session: Session,
    total_steps: int | None,
    progress: Progress,
    status: str,
    reported: ReporterStatus | None,
    error: str | None,
    failures: Mapping[str, int],
) -> Summary:
    """Returns the summary of a run, whose loop alone knows of checkpoints and evaluations.

    Args:
        directory: Directory of the run.
        session: The session that goes on, or ended.
        total_steps: Steps of the run; None if they are not known.
        progress: Progress of the run as this process saw it.
        status: See `Summary`; "done" becomes "diverged" if the losses diverged.
        reported: Last status of the reporter; None if it did not answer.
        error: What ended it, in one line; None if that was not a failure.
        failures: Number of failures of monitoring outside of the reporter, by reason.
    """
    attempts, reached = progress.attempts.listed, progress.attempts.reached
    if status != RUNNING:
        attempts = closed(attempts, reached, error)
    if status == DONE and progress.diverged_since is not None:
        status = DIVERGED
    summary = Summary(
        status,
        str(directory),
        start=session.start,
        total_steps=total_steps,
        workers=attempts[-1].world_size if attempts else None,
        attempts=attempts,
        steps=reached,
        diverged_since=progress.diverged_since,
        epochs=progress.last.epoch if progress.last is not None else 0,
        **newest_numbers(progress.last, {} if attempts else session.before),
        error=error,
    )
    if reported is None:
        return summary
    return with_counts(summary, reported, {**progress.hook_failures, **failures})
