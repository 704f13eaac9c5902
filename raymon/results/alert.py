"""An alert: the begin or the end of a finding."""

from __future__ import annotations

from collections.abc import Mapping
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

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Alert:
        """Returns the alert of a line of `monitor/alerts.jsonl`.

        Raises:
            KeyError, TypeError, ValueError: It is no such line.
        """
        return cls(
            Finding.from_json(record),
            int(record["attempt"]),
            int(record["global_step"]),
            float(record["time"]),
            bool(record["is_over"]),
        )
