"""Compares runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from raymon.runs.columns import numbers_in
from raymon.runs.comparing.comparison import Comparison, Score, ScoreRow
from raymon.runs.comparing.config_fields import ConfigFields, field_differences, fields_of
from raymon.runs.comparing.standard_errors import mean_error, score_error
from raymon.runs.run import Run

WINDOWS = 20
"""Number of the last windows whose mean is compared."""

_LEAST_WINDOWS = 5
_EVAL, _BEST = "eval:metrics.", "best:metrics."


def compare_runs(runs: Sequence[Run], *, everything: bool = False) -> Comparison:
    """Returns what differs between runs, in their configs and in their scores.

    Scores of evaluations have the standard error of their sample of rows where the evaluation has
    its curves (DeLong's of an AUC), if all rows weigh the same. Losses of the training, and samples
    per second, are means of the last 20 windows, with the standard error of their spread. A decayed
    training metric has no error that is known.

    Args:
        runs: Two or more runs; the first is what the others differ from.
        everything: Whether fields of the config that are the same are there too.
    """
    configs = [fields_of(run.config_text) for run in runs]
    scores = [_scores(run, config) for run, config in zip(runs, configs, strict=True)]
    names = sorted(dict.fromkeys(name for each in scores for name in each), key=_order)
    return Comparison(
        tuple(str(run.path) for run in runs),
        tuple(field_differences(configs, everything=everything)),
        tuple(ScoreRow.of(name, [each.get(name) for each in scores]) for name in names),
        _same_data(configs),
        tuple(_notes(runs, configs)),
    )


def _scores(run: Run, config: ConfigFields) -> dict[str, Score]:
    weighted = "data_config.sample_weight_fields" in config.values
    return dict([*_last(run, weighted), *_best(run, weighted), *_trained(run)])


def _last(run: Run, weighted: bool) -> Iterator[tuple[str, Score]]:
    columns = run.evaluation_series
    if not len(columns):
        yield from _of_summary(run, _EVAL, "eval")
        return
    step = int(columns.step[-1])
    record = _record_of(run, step)
    for name in columns.names:
        value = columns.last(name)
        if name.startswith("metrics.") and math.isfinite(value):
            metric = name.removeprefix("metrics.")
            bound = columns.last(f"metric_bounds.{metric}")
            error = None if weighted else score_error(record, metric)
            yield _EVAL + metric, Score(value, 0.0 if math.isnan(bound) else bound, error, step)


def _best(run: Run, weighted: bool) -> Iterator[tuple[str, Score]]:
    place = re.search(r"-(\d+)/?$", str(run.summary.get("best_checkpoint") or ""))
    step = int(place[1]) if place else None
    record = {} if step is None else _record_of(run, step)
    for name, score in _of_summary(run, _BEST, "best"):
        metric = name.removeprefix(_BEST)
        # Only if the evaluation of that step is the one that made it the best.
        same = (record.get("metrics") or {}).get(metric) == score.value
        error = score_error(record, metric) if same and not weighted else None
        yield name, Score(score.value, score.bound, error, step)


def _of_summary(run: Run, prefix: str, which: str) -> Iterator[tuple[str, Score]]:
    bounds = dict(numbers_in(run.summary.get(f"{which}_metric_bounds") or {}))
    for name, value in numbers_in(run.summary.get(f"{which}_metrics") or {}):
        if math.isfinite(value):
            yield prefix + name, Score(value, bounds.get(name, 0.0))


def _trained(run: Run) -> Iterator[tuple[str, Score]]:
    columns = run.newest_windows(WINDOWS)
    if not len(columns):
        return
    step = int(columns.step[-1]) if math.isfinite(columns.step[-1]) else None
    for name in columns.names:
        if name.startswith("losses.") or name == "samples_per_second":
            values = columns.column(name)
            known = values[np.isfinite(values)]
            if len(known):
                error = mean_error(known) if len(known) >= _LEAST_WINDOWS else None
                yield name, Score(float(known.mean()), 0.0, error, step)
        elif name.startswith("metrics.") and math.isfinite(columns.last(name)):
            bound = columns.last(name.replace("metrics.", "metric_bounds.", 1))
            yield name, Score(columns.last(name), 0.0 if math.isnan(bound) else bound, None, step)


def _record_of(run: Run, step: int) -> Mapping[str, Any]:
    records = run.evaluation_records
    for place in range(len(records) - 1, -1, -1):
        record = records[place]
        if record.get("global_step") == step:
            return record
    return {}


def _order(name: str) -> int:
    kinds = (_EVAL, _BEST, "losses.", "metrics.")
    return next((i for i, kind in enumerate(kinds) if name.startswith(kind)), len(kinds))


def _same_data(configs: Sequence[ConfigFields]) -> bool | None:
    paths = [config.values.get("eval_input_path") for config in configs]
    return None if None in paths else len(set(paths)) == 1


def _notes(runs: Sequence[Run], configs: Sequence[ConfigFields]) -> Iterator[str]:
    for run, config in zip(runs, configs, strict=True):
        if run.config_text is None:
            yield f"{run.path}: has no config"
        elif not config.is_whole:
            yield f"{run.path}: its config has fields that this raymon does not know"
        yield from (f"{run.path}: {note}" for note in run.notes)
