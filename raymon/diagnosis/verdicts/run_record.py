"""What is known of a run, for a verdict on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from raymon.diagnosis.step_window import StepWindow
from raymon.results import Finding


@dataclass(frozen=True)
class RunRecord:
    """What is known of a run.

    Attributes:
        windows: Its windows, in order.
        status: Status in its summary; empty if it has none.
        goes_on: Whether its process is there; None if that is not known.
        error: What ended a failed run, in one line; None if nothing is known of it.
        failure_file: File with the whole story of its last failure; None if there is none.
        diverged_since: Step from which on its losses were not finite; None if they were.
        alerts: Findings that were on when it was last heard of.
        hosts: Host by rank, as far as they are known.
    """

    windows: Sequence[StepWindow] = ()
    status: str = ""
    goes_on: bool | None = None
    error: str | None = None
    failure_file: str | None = None
    diverged_since: int | None = None
    alerts: Sequence[Finding] = ()
    hosts: Mapping[int, str] = field(default_factory=dict)
