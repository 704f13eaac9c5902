"""The numbers of some steps, as a diagnosis needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raymon.results import RankNumbers, Snapshot


@dataclass(frozen=True)
class StepWindow:
    """The numbers of the steps [first_step, end_step).

    While a run goes on they are those of a `Snapshot`, afterwards those of lines in its directory.

    Attributes:
        first_step: First of the steps.
        end_step: Step that follows the last one.
        samples: Rows that all ranks trained on.
        seconds: Seconds that the steps took, without evaluations and saves.
        world_size: Number of ranks of the attempt.
        numbers: Seconds of each phase of each rank; None if they are not known.
        phases: Seconds of each phase, of a rank as most are; empty if they are not known.
        time: Seconds since 1970, UTC, at the end of the steps; 0 if it is not known.
    """

    first_step: int
    end_step: int
    samples: int
    seconds: float
    world_size: int
    numbers: RankNumbers | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    time: float = 0.0

    @property
    def steps(self) -> int:
        """Number of the steps."""
        return self.end_step - self.first_step

    def seconds_of(self, phase: str) -> NDArray[np.float64]:
        """Returns the seconds of a phase of each rank in `numbers`, `[R]`; 0 where unknown."""
        if self.numbers is None:
            return np.zeros(0)
        return np.nan_to_num(self.numbers.column(phase).astype(np.float64))

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> StepWindow:
        """Returns the numbers of a snapshot."""
        return cls(
            snapshot.first_step,
            snapshot.end_step,
            snapshot.samples,
            snapshot.seconds,
            snapshot.coverage.world_size,
            snapshot.rank_numbers,
            snapshot.phases,
        )

    @classmethod
    def of_line(cls, line: Mapping[str, Any], numbers: RankNumbers | None = None) -> StepWindow:
        """Returns the numbers of a line of `monitor/windows.jsonl`.

        Args:
            line: The line, as it was parsed.
            numbers: Seconds of each phase of each rank in these steps, if they are known.

        Raises:
            KeyError, TypeError, ValueError: It is no such line.
        """
        phases = line.get("phases_median") or line.get("phases") or {}
        return cls(
            int(line["first_step"]),
            int(line["global_step"]),
            int(line["samples"]),
            float(line["seconds"] or 0.0),
            int(line.get("world_size") or 0),
            numbers,
            {str(name): float(seconds or 0.0) for name, seconds in phases.items()},
            float(line.get("time") or 0.0),
        )

    @classmethod
    def of_rank_line(cls, line: Mapping[str, Any]) -> StepWindow:
        """Returns the numbers of a line of `monitor/ranks.jsonl`.

        Raises:
            KeyError, TypeError, ValueError: It is no such line.
        """
        return cls.of_line(line, RankNumbers.of_json(line["ranks"], line["rank_numbers"]))
