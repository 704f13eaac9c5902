"""An alert: the begin or the end of a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from raymon.results.finding import Finding


@dataclass(frozen=True)
class Alert:
    """The begin or the end of a finding.

    Attributes:
        finding: The finding; at its end as it was last seen.
        attempt: Number of the attempt that was going on.
        step: Step of the newest numbers at that time.
        time: Seconds since 1970, UTC.
        is_over: Whether the finding is over.
    """

    finding: Finding
    attempt: int
    step: int
    time: float
    is_over: bool = False

    def to_json(self) -> dict[str, Any]:
        """Returns the line of `monitor/alerts.jsonl`."""
        return {
            "global_step": self.step,
            "attempt": self.attempt,
            "time": self.time,
            "is_over": self.is_over,
            **self.finding.to_json(),
        }
