"""The evaluations of a run, from the two files that have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from raymon.runs.columns import Columns, numbers_in
from raymon.runs.reading.followed import Followed
from raymon.runs.reading.records import RecordBuilder, Records
from raymon.sinks import SCORES_FILE
from raymon.storage import StoragePath

EVALUATIONS_FILE = "evaluations.jsonl"
"""Name of the file with evaluations and their curves, in `monitor/`."""

_NUMBERS = ("global_step", "time", "metrics", "metric_bounds")


class Evaluations:
    """The evaluations of a run: of each step the last one, by step.

    Args:
        model_dir: Directory of the run.
    """

    def __init__(self, model_dir: StoragePath) -> None:
        path = model_dir / "monitor" / EVALUATIONS_FILE
        self._whole: Followed[Records] = Followed(path, RecordBuilder(_numbers))
        self._scores: Followed[Records] = Followed(model_dir / SCORES_FILE, RecordBuilder(_named))
        self._made: tuple[Records, Columns] | None = None

    @property
    def error(self) -> str | None:
        """Why they cannot be read, in a line; None if they can."""
        return self._whole.error or self._scores.error

    @property
    def records(self) -> Records:
        """The lines of `evaluations.jsonl`."""
        return self._values()[0]

    @property
    def columns(self) -> Columns:
        """The scores of both files."""
        return self._values()[1]

    def refresh(self) -> bool:
        """Reads what is new; returns whether anything is."""
        changed = [each.refresh() for each in (self._whole, self._scores)]
        if any(changed):
            self._made = None
        return any(changed)

    def _values(self) -> tuple[Records, Columns]:
        if self._made is None:
            self._whole.begin()
            self._scores.begin()
            whole = self._whole.value
            columns = Columns.of_lines([*self._scores.value.briefs, *whole.briefs])
            rows = np.array(_last_of_steps(columns.step.tolist()), np.intp)
            places = _last_of_steps([_step(brief) for brief in whole.briefs])
            self._made = whole.taken(places), columns.taken(rows)
        return self._made


def _numbers(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in _NUMBERS if name in line}


def _named(scores: Mapping[str, Any]) -> dict[str, Any]:
    metrics = {name: value for name, value in scores.items() if name != "global_step"}
    return {"global_step": scores.get("global_step"), "metrics": metrics}


def _step(line: Mapping[str, Any]) -> float:
    step = line.get("global_step")
    return next((number for _, number in numbers_in(step)), float("nan"))


def _last_of_steps(steps: list[float]) -> list[int]:
    """Returns the places of the last line of each step, by step; lines without a step are none."""
    places = {step: place for place, step in enumerate(steps) if step == step}
    return [places[step] for step in sorted(places)]
