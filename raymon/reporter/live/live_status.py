"""Where a run is at this moment, as JSON values, by what its driver and its reporter know."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from raymon.reporter.progress import Progress
from raymon.results import Finding, RankState
from raymon.runs import RUNNING, STARTING

Status = dict[str, Any]


class StatusLink(Protocol):
    """The reporter of a run, as far as its status is asked for."""

    def ranks(self) -> list[RankState]:
        """Returns what is known of each rank of the attempt that is going on."""

    def findings(self) -> list[Finding]:
        """Returns what is wrong with the run at this moment."""


def live_status(
    run: str,
    total_steps: int | None,
    progress: Progress,
    reporter: StatusLink,
    clock: Callable[[], float] = time.monotonic,
) -> Status:
    """Returns the status of a run that goes on.

    Args:
        run: Directory of the run.
        total_steps: Steps of the run; None if unknown.
        progress: Its progress.
        reporter: Its reporter.
        clock: Monotonic clock of `progress`, in seconds.
    """
    ranks, alerts, silent = _reported(reporter)
    began, last = progress.attempt, progress.last
    step = max((rank.step for rank in ranks), default=0)
    if last is not None:
        step = max(step, last.end_step)
    status: Status = {
        "run": run,
        "status": RUNNING if began is not None else STARTING,
        "attempt": None if began is None else began.attempt,
        "world_size": None if began is None else began.world_size,
        "step": step,
        "total_steps": total_steps,
        # Not asdict, which takes thirty times as long.
        "ranks": [dict(vars(rank)) for rank in ranks],
        "alerts": [finding.to_json() for finding in alerts],
        "evaluation": None,
    }
    if progress.evaluations:
        newest = progress.evaluations[-1]
        status["evaluation"] = {"step": newest.step, "metrics": dict(newest.metrics)}
    if silent is not None:
        # What the driver knows is told all the same.
        status["reporter"] = silent
    if last is None:
        return status
    left = None if total_steps is None else max(0, total_steps - step)
    # While no step is made, the rate of the last ones is none of now.
    stalls = progress.stalled_s > 0
    rate = 0.0 if stalls else last.steps_per_second
    return {
        **status,
        "numbers": {
            "first_step": last.first_step,
            "end_step": last.end_step,
            "age_s": clock() - progress.last_at,
        },
        "epoch": last.epoch,
        "samples_total": last.samples_total,
        "samples_per_second": 0.0 if stalls else last.samples_per_second,
        "steps_per_second": rate,
        "stalled_s": progress.stalled_s,
        "eta_s": left / rate if left is not None and rate > 0 else None,
        "losses": last.all_losses,
        "metrics": dict(last.metrics),
        "learning_rates": list(last.learning_rates),
        "coverage": asdict(last.coverage),
    }


def _reported(
    reporter: StatusLink,
) -> tuple[Sequence[RankState], Sequence[Finding], str | None]:
    """Returns what the reporter knows of ranks and alerts, and why it says nothing if it does."""
    try:
        return reporter.ranks(), reporter.findings(), None
    except Exception as error:  # it may be gone, and be started again in a moment
        return (), (), f"does not answer: {type(error).__name__}"
