"""What happened to a run, for the axis of its curves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from raymon.number_text import number_text
from raymon.results import Alert
from raymon.runs.attempts import Attempt
from raymon.runs.checkpoints import CheckpointInfo
from raymon.runs.columns import Columns

_METRICS = "metrics."
_MOST_METRICS = 3


@dataclass(frozen=True)
class Mark:
    """Something that happened at a step.

    Attributes:
        kind: One of `restart`, `roll_back`, `checkpoint`, `best`, `alert`, `alert_over` and
            `evaluation`.
        step: Step of the run.
        time: Seconds since 1970, UTC; where it was not written down, by interpolation between the
            windows of the run; None if it is not known.
        text: What happened, in a line.
    """

    kind: str
    step: int
    time: float | None
    text: str


def marks_of(
    windows: Columns,
    attempts: Sequence[Attempt],
    checkpoints: Sequence[CheckpointInfo],
    alerts: Sequence[Alert],
    evaluations: Columns,
) -> list[Mark]:
    """Returns what happened to a run, by step, then in the order of time."""
    found = [
        *_of_attempts(attempts),
        *_of_evaluations(evaluations),
        *(_of_checkpoint(each) for each in checkpoints if each.is_complete),
        *(_of_alert(each) for each in alerts),
    ]
    timed = _with_times(found, windows)
    return sorted(timed, key=lambda mark: (mark.step, mark.time or 0.0))


def _of_attempts(attempts: Sequence[Attempt]) -> Iterator[Mark]:
    for before, each in pairwise(attempts):
        text, kind = f"attempt {each.attempt} began at step {each.step:,}", "restart"
        if before.end_step is not None and before.end_step > each.step:
            kind, first = "roll_back", each.step + 1
            lost = (
                f"step {first:,} is"
                if first == before.end_step
                else f"steps {first:,} to {before.end_step:,} are"
            )
            text += f"; {lost} rolled back"
        if before.world_size != each.world_size and before.world_size and each.world_size:
            text += f"; {each.world_size:,} ranks in place of {before.world_size:,}"
        if before.failure:
            text += f", after: {before.failure}"
        yield Mark(kind, each.step, each.time if math.isfinite(each.time) else None, text)


def _of_evaluations(evaluations: Columns) -> Iterator[Mark]:
    names = [name for name in evaluations.names if name.startswith(_METRICS)][:_MOST_METRICS]
    columns = {name.removeprefix(_METRICS): evaluations.column(name) for name in names}
    for row, (step, time) in enumerate(zip(evaluations.step, evaluations.time, strict=True)):
        if math.isfinite(step):
            scores = ", ".join(f"{n} {number_text(column[row])}" for n, column in columns.items())
            known = float(time) if math.isfinite(time) else None
            yield Mark("evaluation", int(step), known, f"evaluation: {scores}")


def _of_checkpoint(checkpoint: CheckpointInfo) -> Mark:
    kind, what = ("best", "best checkpoint") if checkpoint.is_best else ("checkpoint", "checkpoint")
    return Mark(kind, checkpoint.step, checkpoint.time, f"{what} at step {checkpoint.step:,}")


def _of_alert(alert: Alert) -> Mark:
    kind, before = ("alert_over", "over: ") if alert.is_over else ("alert", "")
    return Mark(kind, alert.step, alert.time, f"{before}{alert.finding.text}")


def _with_times(marks: Iterable[Mark], windows: Columns) -> Iterator[Mark]:
    known = np.isfinite(windows.step) & np.isfinite(windows.time)
    steps, times = windows.step[known], windows.time[known]
    for mark in marks:
        if mark.time is None and len(steps) and steps[0] <= mark.step <= steps[-1]:
            yield replace(mark, time=float(np.interp(mark.step, steps, times)))
        else:
            yield mark
