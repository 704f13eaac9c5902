"""The scores in the evaluation file of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from raymon.errors import RunError, os_reason
from raymon.sinks import SCORES_FILE
from raymon.storage import StoragePath, numbers_of


@dataclass(frozen=True)
class Scores:
    """A line of the file.

    Attributes:
        line: Number of the line, from 1.
        step: Steps that the model had made.
        metrics: Scores by name; NaN for null in the file.
    """

    line: int
    step: int
    metrics: Mapping[str, float]


def read_scores(model_dir: StoragePath) -> list[Scores]:
    """Returns the scores of a run by step; of several lines with one step, the last.

    An incomplete last line is ignored.

    Raises:
        RunError: The file cannot be read, or another line is not one of scores.
    """
    path = model_dir / SCORES_FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {os_reason(error)}") from None
    lines = text.splitlines()
    by_step: dict[int, Scores] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            step = int(record.pop("global_step"))
            metrics = numbers_of(record)
        except (ValueError, KeyError, TypeError, AttributeError):
            if number == len(lines) and not text.endswith(b"\n"):
                break
            raise RunError(f"{path}:{number}: is no line of scores") from None
        by_step[step] = Scores(number, step, metrics)
    return [by_step[step] for step in sorted(by_step)]
