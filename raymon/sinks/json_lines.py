"""Sinks of one JSON object a line."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raymon.sinks.snapshot import Evaluation, Snapshot


class JsonLinesFile:
    """A file of JSON objects with a `global_step`, one a line, flushed line by line.

    Args:
        path: The file; its directory is made when the first line comes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one line. NaN and infinities become null, which every JSON reader takes."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(_finite(record), allow_nan=False) + "\n"
        with self._path.open("a") as file:
            file.write(line)

    def roll_back(self, step: int) -> None:
        """Drops the lines after `step`, and any that is only half written."""
        if not self._path.exists():
            return
        kept = [line for line in self._path.read_text().splitlines() if _is_until(line, step)]
        replacement = self._path.with_name(self._path.name + ".new")
        replacement.write_text("".join(line + "\n" for line in kept))
        os.replace(replacement, self._path)


class WindowLines:
    """Sink: `monitor/windows.jsonl`, a line for every snapshot."""

    def __init__(self, model_dir: Path) -> None:
        self._file = JsonLinesFile(model_dir / "monitor" / "windows.jsonl")

    def write(self, snapshot: Snapshot) -> None:
        """Appends the snapshot."""
        self._file.append(snapshot.to_json())

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Evaluations have their own file."""

    def roll_back(self, step: int) -> None:
        """Drops the lines after `step`."""
        self._file.roll_back(step)

    def close(self) -> None:
        """Every line is written already."""


class EvaluationLines:
    """Sink: `train_eval_result_v2.txt`, `global_step` first, then the metrics by name."""

    def __init__(self, model_dir: Path) -> None:
        self._file = JsonLinesFile(model_dir / "train_eval_result_v2.txt")

    def write(self, snapshot: Snapshot) -> None:
        """Snapshots have their own file."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Appends the scores."""
        self._file.append({"global_step": evaluation.step, **evaluation.metrics})

    def roll_back(self, step: int) -> None:
        """Drops the lines after `step`."""
        self._file.roll_back(step)

    def close(self) -> None:
        """Every line is written already."""


def _is_until(line: str, step: int) -> bool:
    try:
        return int(json.loads(line)["global_step"]) <= step
    except (ValueError, KeyError, TypeError):
        return False


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value
