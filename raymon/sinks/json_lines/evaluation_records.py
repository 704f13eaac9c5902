"""The sink that writes all that is known of evaluations."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from raymon.results import Alert, Evaluation, Snapshot
from raymon.sinks.json_lines.json_lines import MAX_BYTES
from raymon.sinks.json_lines.json_lines_file import JsonLinesFile
from raymon.sinks.json_lines.open_lines import open_lines
from raymon.sinks.json_lines.thinners import sparse_curves
from raymon.storage import StoragePath

EVALUATIONS_FILE = "evaluations.jsonl"
"""Name of the file with all that is known of evaluations, in `monitor/`."""


class EvaluationRecords:
    """A sink that writes evaluations to `monitor/evaluations.jsonl`; on object storage a directory.

    Lines up to a roll-back stay: evaluations are given again after it, and of old ones only these
    lines have what plots show.

    Args:
        model_dir: Directory of the run.
        max_bytes: Size above which old lines lose what plots show, all but each second, fourth and
            so on.
        clock: Time in seconds since 1970.
    """

    def __init__(
        self,
        model_dir: StoragePath,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        path = model_dir / "monitor" / EVALUATIONS_FILE
        self._file = open_lines(path, max_bytes, clock, sparse_curves)
        # Steps and times of lines that were there after a roll-back.
        self._kept: set[tuple[int, float | None]] = set()

    def write(self, snapshot: Snapshot) -> None:
        """Does nothing, since snapshots have a file of their own."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Appends the line of an evaluation, if it is not there already."""
        if (evaluation.step, evaluation.time or None) not in self._kept:
            self._file.append(evaluation.to_json())

    def write_alert(self, alert: Alert) -> None:
        """Does nothing, since alerts have a file of their own."""

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        return self._file.take_notices() if isinstance(self._file, JsonLinesFile) else []

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Removes the lines after `step`; the others are right, and stay."""
        self._file.roll_back(step or evaluation_step)
        self._kept = set(_steps_and_times(self._file.read()))

    def flush(self) -> None:
        """Writes the lines that were gathered."""
        self._file.flush()

    def close(self) -> None:
        """Writes what is left."""
        self._file.flush()


def _steps_and_times(lines: Iterable[bytes]) -> Iterable[tuple[int, float | None]]:
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            record = json.loads(line)
            yield int(record["global_step"]), record.get("time")
