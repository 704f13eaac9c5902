"""A verdict on a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from raymon.results import Finding


@dataclass(frozen=True)
class Verdict:
    """What a run is held up by most, or why it ended.

    Attributes:
        kind: Kind of the verdict, such as "input_bound".
        text: The verdict with its numbers, and what may help.
        short: The same in a few words.
        findings: The evidence, and what else is wrong or costs time; what costs most first.
        budget: Where the time of a rank goes, in one line; empty if it is not known.
    """

    kind: str
    text: str
    short: str
    findings: Sequence[Finding] = ()
    budget: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns the verdict as a JSON object."""
        findings = [
            {
                "kind": finding.kind,
                "rank": finding.rank,
                "host": finding.host,
                "phase": finding.phase,
                "first_step": finding.first_step,
                "last_step": finding.last_step,
                "cost": finding.cost,
                "text": finding.text,
            }
            for finding in self.findings
        ]
        return {"verdict": self.kind, "text": self.text, "findings": findings}
