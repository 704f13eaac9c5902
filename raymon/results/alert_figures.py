"""What a run says of its alerts so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from raymon.results.finding import Finding


@dataclass(frozen=True)
class AlertFigures:
    """The alerts of a run so far.

    Attributes:
        on: Findings that are wrong now.
        counts: How many alerts began since the run began, by kind.
    """

    on: Sequence[Finding] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
