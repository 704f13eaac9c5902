"""The sink that writes the numbers of single ranks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from raymon.results import Alert, Evaluation, RankNumbers, Snapshot
from raymon.sinks.json_lines.json_lines import MAX_BYTES
from raymon.sinks.json_lines.json_lines_file import JsonLinesFile
from raymon.sinks.json_lines.open_lines import open_lines
from raymon.storage import StoragePath

RANKS_FILE = "ranks.jsonl"
"""Name of the file with the numbers of single ranks, in `monitor/`."""

_SECONDS_A_RANK = 0.1
"""Seconds of steps in a line for each rank: of a thousand ranks a line has 100 s, and 100 kB."""


@dataclass(frozen=True)
class _Gathered:
    """The numbers of steps that have no line yet.

    Attributes:
        first: Their first snapshot.
        last: Their last one.
        samples: Rows that all ranks trained on.
        seconds: Seconds of the slowest rank.
        numbers: Numbers of each rank.
    """

    first: Snapshot
    last: Snapshot
    samples: int
    seconds: float
    numbers: RankNumbers | None

    @classmethod
    def of(cls, snapshot: Snapshot) -> _Gathered:
        """Returns the numbers of a snapshot."""
        return cls(snapshot, snapshot, snapshot.samples, snapshot.seconds, snapshot.rank_numbers)

    def plus(self, snapshot: Snapshot) -> _Gathered:
        """Returns the numbers with those of the snapshot that follows."""
        return _Gathered(
            self.first,
            snapshot,
            self.samples + snapshot.samples,
            self.seconds + snapshot.seconds,
            RankNumbers.summed(self.numbers, snapshot.rank_numbers),
        )

    def goes_on_with(self, snapshot: Snapshot) -> bool:
        """Returns whether a snapshot has the steps that follow, of the same ranks."""
        mine, others = self.last.rank_numbers, snapshot.rank_numbers
        assert mine is not None
        assert others is not None
        return self.last.end_step == snapshot.first_step and mine.ranks == others.ranks

    def to_json(self) -> dict[str, Any]:
        """Returns the line."""
        numbers = self.numbers
        assert numbers is not None
        columns = {name: numbers.column(name).tolist() for name in numbers.names}
        return {
            "global_step": self.last.end_step,
            "first_step": self.first.first_step,
            "samples": self.samples,
            "seconds": self.seconds,
            "world_size": self.last.coverage.world_size,
            "ranks": list(numbers.ranks),
            "rank_numbers": {
                name: [_short(value) for value in values]
                for name, values in columns.items()
                if any(values)
            },
        }


class RankLines:
    """A sink that writes the numbers of each rank to `monitor/ranks.jsonl`.

    The more ranks there are, the more steps are added up in a line.

    Args:
        model_dir: Directory of the run.
        max_bytes: Size above which lines that are older than a day are thinned.
        clock: Time in seconds since 1970, of lines whose snapshot has none.
    """

    def __init__(
        self,
        model_dir: StoragePath,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        path = model_dir / "monitor" / RANKS_FILE
        self._clock = clock
        self._gathered: _Gathered | None = None
        self._file = open_lines(path, max_bytes, clock)

    def write(self, snapshot: Snapshot) -> None:
        """Adds the numbers of a snapshot, and appends a line where they are enough for one."""
        numbers = snapshot.rank_numbers
        if numbers is None:
            return
        if self._gathered is not None and not self._gathered.goes_on_with(snapshot):
            self._append()
        gathered = self._gathered
        self._gathered = _Gathered.of(snapshot) if gathered is None else gathered.plus(snapshot)
        if self._gathered.seconds >= _SECONDS_A_RANK * len(numbers.ranks):
            self._append()

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Does nothing, since evaluations have a file of their own."""

    def write_alert(self, alert: Alert) -> None:
        """Does nothing, since alerts have a file of their own."""

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        return self._file.take_notices() if isinstance(self._file, JsonLinesFile) else []

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Removes the lines after `step`."""
        self._gathered = None
        self._file.roll_back(step)

    def flush(self) -> None:
        """Writes what was gathered."""
        self._append()
        self._file.flush()

    def close(self) -> None:
        """Writes what is left."""
        self.flush()

    def _append(self) -> None:
        if self._gathered is not None:
            time_s = self._gathered.last.time or self._clock()
            self._file.append({**self._gathered.to_json(), "time": time_s})
            self._gathered = None


def _short(value: float) -> float | None:
    """Returns a number with four digits, which is as exact as a clock; None for NaN."""
    return float(f"{value:.4g}") if math.isfinite(value) else None
