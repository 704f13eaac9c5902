"""The scores of a run, as its evaluation file has them."""

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
        line: Its number, from 1.
        step: Steps that the model had made.
        metrics: By name; NaN where the file has null.
    """

    line: int
    step: int
    metrics: Mapping[str, float]


def read_scores(model_dir: StoragePath) -> list[Scores]:
    """The scores of a run by step; the last line of a step counts. A last line that is only half
    written is no line.

    Raises:
        RunError: The file cannot be read, or another line is none of it.
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
