"""The table of a sweep, its parameters in short, its best trial first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raymon.number_text import NO_VALUE, number_text
from raymon.tuning.parameters import Value, text_of
from raymon.tuning.results import SweepResult, TrialResult


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Returns short names that tell paths from each other, by path.

    For instance `lr`, or `dense_optimizer.lr` if that of the embedding tables is varied too.
    """
    return {path: _short(path, [other for other in paths if other != path]) for path in paths}


def _short(path: str, others: Sequence[str]) -> str:
    parts = path.split(".")
    # An item of a list is named with its list.
    last = 2 if parts[-1].isdecimal() and len(parts) > 1 else 1
    end = ".".join(parts[-last:])
    same = [other.split(".") for other in others if f".{other}".endswith(f".{end}")]
    if not same:
        return end
    for back in range(last + 1, len(parts) + 1):
        if all(len(other) < back or other[-back] != parts[-back] for other in same):
            return f"{parts[-back]}.{end}"
    return path


def values_text(values: Mapping[str, Value]) -> str:
    """Returns `name value` of each parameter."""
    names = short_names(list(values))
    return ", ".join(f"{names[path]} {text_of(value)}" for path, value in values.items())


def table_rows(result: SweepResult) -> tuple[list[str], list[list[str]]]:
    """Returns the heading and the rows of the table: texts, the best trial first."""
    paths = list(dict.fromkeys(path for trial in result.trials for path in trial.values))
    names = short_names(paths)
    heading = ["trial", *(names[path] for path in paths), result.metric, "at step", "status"]
    return heading, [_row(trial, paths) for trial in result.ranked()]


def _row(trial: TrialResult, paths: Sequence[str]) -> list[str]:
    values = [text_of(trial.values[path]) if path in trial.values else "" for path in paths]
    best = NO_VALUE if trial.best_value is None else number_text(trial.best_value)
    at = NO_VALUE if trial.best_step is None else f"{trial.best_step:,}"
    return [trial.trial, *values, best, at, _status(trial)]


def _status(trial: TrialResult) -> str:
    text = trial.status
    if trial.status == "pruned":
        text = f"pruned at step {trial.steps:,}"
    donors = list(dict.fromkeys(o.trial for o in trial.lineage if o.trial != trial.trial))
    if donors:
        text += f", from {' and '.join(donors)} at step {trial.lineage[-1].step:,}"
    return f"{text}: {trial.error}" if trial.error and trial.status == "failed" else text
