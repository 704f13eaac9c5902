"""Sinks of one JSON object a line."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raymon.sinks.snapshot import Evaluation, Snapshot
from raymon.sinks.whole_append import append_whole, cut_torn_line

SCORES_FILE = "train_eval_result_v2.txt"


class JsonLinesFile:
    """A file of JSON objects with a `global_step`, one a line, written line by line.

    Args:
        path: The file; its directory is made when the first line comes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one line. NaN and infinities become null, which every JSON reader takes.

        Half a line that a process left behind when it was killed is cut off first.

        Raises:
            OSError: Nothing was written.
        """
        line = json.dumps(_finite(record), allow_nan=False) + "\n"
        cut_torn_line(self._path)
        append_whole(self._path, line.encode())

    def roll_back(self, step: int) -> None:
        """Drops the lines after `step`, and any that is only half written.

        Raises:
            OSError: The file is as it was.
        """
        if not self._path.exists():
            return
        lines = self._path.read_bytes().splitlines()
        kept = b"".join(line + b"\n" for line in lines if _is_until(line, step))
        replacement = self._path.with_name(self._path.name + ".new")
        try:
            replacement.write_bytes(kept)
            os.replace(replacement, self._path)
        except OSError:
            # What is left of it would take room where there is none.
            replacement.unlink(missing_ok=True)
            raise


class WindowLines:
    """Sink: `monitor/windows.jsonl`, a line for every snapshot."""

    def __init__(self, model_dir: Path) -> None:
        self._file = JsonLinesFile(model_dir / "monitor" / "windows.jsonl")

    def write(self, snapshot: Snapshot) -> None:
        """Appends the snapshot."""
        self._file.append(snapshot.to_json())

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Evaluations have their own file."""

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Drops the lines after `step`."""
        self._file.roll_back(step)

    def close(self) -> None:
        """Every line is written already."""


class EvaluationLines:
    """Sink: `train_eval_result_v2.txt`, `global_step` first, then the metrics by name."""

    def __init__(self, model_dir: Path) -> None:
        self._file = JsonLinesFile(model_dir / SCORES_FILE)

    def write(self, snapshot: Snapshot) -> None:
        """Snapshots have their own file."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Appends the scores."""
        self._file.append({"global_step": evaluation.step, **evaluation.metrics})

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Drops the lines after `evaluation_step`."""
        self._file.roll_back(evaluation_step)

    def close(self) -> None:
        """Every line is written already."""


def _is_until(line: bytes, step: int) -> bool:
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
