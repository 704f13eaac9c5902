"""What the reporter knows of a run apart from its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from raymon.results.alert_figures import AlertFigures
from raymon.results.snapshot import Coverage, RankState


@dataclass(frozen=True)
class Health:
    """The health of a run.

    Attributes:
        attempt: Number of the attempt that is going on, from 1; 0 before the first.
        ranks: What is known of each of its ranks.
        coverage: Coverage of what was shown last, complete or not; None before.
        checkpoint_step: Step of the newest window that ended at a checkpoint; None before the
            first.
        windows_lost: Windows of single ranks that are in no number.
        sink_failures: Calls to sinks that failed for good.
        saves_failed: Saves that failed.
        alerts: What is wrong, and how many alerts there were.
        stalled_s: As in `Snapshot`, at this moment.
    """

    attempt: int
    ranks: Sequence[RankState]
    coverage: Coverage | None
    checkpoint_step: int | None
    windows_lost: int
    sink_failures: int
    saves_failed: int
    alerts: AlertFigures = field(default_factory=AlertFigures)
    stalled_s: float = 0.0
