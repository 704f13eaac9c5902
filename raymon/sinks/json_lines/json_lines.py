"""The sinks that write JSON objects, one per line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.results import Alert, Evaluation, Snapshot
from raymon.sinks.json_lines.json_lines_file import JsonLinesFile
from raymon.sinks.json_lines.json_lines_objects import JsonLinesObject
from raymon.sinks.json_lines.open_lines import open_lines
from raymon.storage import StoragePath, read_file

SCORES_FILE = "train_eval_result_v2.txt"
"""Name of the file with the scores of evaluations, in the directory of the run."""

MAX_BYTES = MonitorConfig().windows_max_mb * 1_000_000
"""The limit of a run that has no config."""
ALERTS_FILE = "alerts.jsonl"
"""Name of the file with the alerts, in `monitor/`."""


class WindowLines:
    """A sink that writes snapshots to `monitor/windows.jsonl`; on object storage a directory.

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
        path = model_dir / "monitor" / "windows.jsonl"
        self._clock = clock
        self._file = open_lines(path, max_bytes, clock)

    def write(self, snapshot: Snapshot) -> None:
        """Appends the line of a snapshot."""
        self._file.append({**snapshot.to_json(), "time": snapshot.time or self._clock()})

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Does nothing, since evaluations have a file of their own."""

    def write_alert(self, alert: Alert) -> None:
        """Does nothing, since alerts have a file of their own."""

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        return self._file.take_notices() if isinstance(self._file, JsonLinesFile) else []

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Removes the lines after `step`."""
        self._file.roll_back(step)

    def flush(self) -> None:
        """Writes the lines that were gathered."""
        self._file.flush()

    def close(self) -> None:
        """Writes what is left."""
        self._file.flush()


class EvaluationLines:
    """A sink that writes scores to `train_eval_result_v2.txt`, `global_step` first.

    Args:
        model_dir: Directory of the run.
    """

    def __init__(self, model_dir: StoragePath) -> None:
        path = model_dir / SCORES_FILE
        self._file: JsonLinesFile | JsonLinesObject = (
            JsonLinesFile(path) if isinstance(path, Path) else JsonLinesObject(path)
        )

    def write(self, snapshot: Snapshot) -> None:
        """Does nothing, since snapshots have a file of their own."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Appends the line of an evaluation."""
        self._file.append({"global_step": evaluation.step, **evaluation.metrics})

    def write_alert(self, alert: Alert) -> None:
        """Does nothing, since alerts have a file of their own."""

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        return self._file.take_notices() if isinstance(self._file, JsonLinesFile) else []

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Removes the lines after `evaluation_step`."""
        self._file.roll_back(evaluation_step)

    def flush(self) -> None:
        """Does nothing, since every line is written already."""

    def close(self) -> None:
        """Does nothing, since every line is written already."""


def read_alerts(model_dir: StoragePath) -> list[Alert]:
    """Returns the alerts that `AlertLines` has written; lines that are none are left out.

    Args:
        model_dir: Directory of the run.

    Raises:
        OSError: They cannot be read.
    """
    try:
        lines = read_file(model_dir / "monitor" / ALERTS_FILE).splitlines()
    except FileNotFoundError:
        return []
    alerts = []
    for line in lines:
        with suppress(ValueError, KeyError, TypeError, OverflowError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict):
                alert = Alert.from_json(record)
                hash(alert.finding.key)  # Alerts are known by it.
                alerts.append(alert)
    return alerts


class AlertLines:
    """A sink that writes alerts to `monitor/alerts.jsonl`; on object storage one object.

    Args:
        model_dir: Directory of the run.
    """

    def __init__(self, model_dir: StoragePath) -> None:
        path = model_dir / "monitor" / ALERTS_FILE
        self._file: JsonLinesFile | JsonLinesObject = (
            JsonLinesFile(path) if isinstance(path, Path) else JsonLinesObject(path)
        )

    def write(self, snapshot: Snapshot) -> None:
        """Does nothing, since snapshots have a file of their own."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Does nothing, since evaluations have a file of their own."""

    def write_alert(self, alert: Alert) -> None:
        """Appends the line of an alert."""
        self._file.append(alert.to_json())

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        return self._file.take_notices() if isinstance(self._file, JsonLinesFile) else []

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Does nothing: what was wrong was so, whatever became of the steps."""

    def flush(self) -> None:
        """Does nothing, since every line is written already."""

    def close(self) -> None:
        """Does nothing, since every line is written already."""
