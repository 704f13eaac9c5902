"""What is known of a run, as Arrow tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from raymon.results import Alert
from raymon.runs.checkpoints import CheckpointInfo
from raymon.runs.columns import Columns
from raymon.runs.rank_line import RankLine

_WHOLE = ("global_step", "first_step", "epoch", "samples", "samples_total", "ranks", "world_size")


def table_of_columns(columns: Columns) -> Any:
    """Returns a table of columns: counts as int64, the others as float64; NaN is null."""
    arrays = {}
    for name in columns.names:
        column = columns.column(name)
        absent = np.isnan(column)
        known = column[~absent]
        is_whole = name in _WHOLE and bool((known == np.floor(known)).all())
        if is_whole and bool((np.abs(known) < 2**53).all()):
            numbers: Any = np.where(absent, 0, column).astype(np.int64)
        else:
            numbers = column
        arrays[name] = pa.array(numbers, mask=absent)
    return pa.table(arrays)


def alert_table(alerts: Sequence[Alert]) -> Any:
    """Returns a table of alerts, in order."""
    schema = pa.schema(
        [
            ("global_step", pa.int64()),
            ("time", pa.float64()),
            ("attempt", pa.int64()),
            ("is_over", pa.bool_()),
            ("kind", pa.string()),
            ("text", pa.string()),
            ("rank", pa.int64()),
            ("host", pa.string()),
            ("phase", pa.string()),
            ("subject", pa.string()),
            ("first_step", pa.int64()),
            ("last_step", pa.int64()),
            ("cost", pa.float64()),
        ]
    )
    rows = [
        {
            "global_step": alert.step,
            "time": alert.time,
            "attempt": alert.attempt,
            "is_over": alert.is_over,
            **{name: _typed(getattr(alert.finding, name), of) for name, of in _FINDING.items()},
        }
        for alert in alerts
    ]
    return pa.Table.from_pylist(rows, schema)


_FINDING: Mapping[str, type] = {
    "kind": str,
    "text": str,
    "rank": int,
    "host": str,
    "phase": str,
    "subject": str,
    "first_step": int,
    "last_step": int,
    "cost": float,
}


def rank_table(lines: Sequence[RankLine]) -> Any:
    """Returns a long table: a row for each rank of each line, a float32 column for each number."""
    names = list(dict.fromkeys(name for line in lines for name in line.numbers.names))
    sizes = [len(line.numbers.ranks) for line in lines]
    ranks = [rank for line in lines for rank in line.numbers.ranks]

    def repeated(values: list[Any], dtype: Any) -> Any:
        return np.repeat(np.array(values, dtype), sizes)

    columns: dict[str, Any] = {
        "first_step": pa.array(repeated([line.first_step for line in lines], np.int64)),
        "global_step": pa.array(repeated([line.end_step for line in lines], np.int64)),
        "time": _nullable(repeated([line.time for line in lines], np.float64)),
        "rank": pa.array(ranks, pa.int64()),
    }
    for name in names:
        parts = [line.numbers.column(name) for line in lines]
        columns[name] = _nullable(np.concatenate(parts))
    return pa.table(columns)


def checkpoint_table(checkpoints: Sequence[CheckpointInfo]) -> Any:
    """Returns a table of checkpoints, with a column `metrics.NAME` for each of their scores."""
    names = list(dict.fromkeys(name for each in checkpoints for name in each.metrics))
    columns: dict[str, Any] = {
        "global_step": pa.array([each.step for each in checkpoints], pa.int64()),
        "path": pa.array([_text(each.path) for each in checkpoints], pa.string()),
        "bytes": pa.array([each.size_bytes for each in checkpoints], pa.int64()),
        "time": pa.array([each.time for each in checkpoints], pa.float64()),
        "is_best": pa.array([each.is_best for each in checkpoints], pa.bool_()),
        "is_complete": pa.array([each.is_complete for each in checkpoints], pa.bool_()),
    }
    for name in names:
        scores = [each.metrics.get(name, np.nan) for each in checkpoints]
        columns[f"metrics.{_text(name)}"] = _nullable(np.array(scores, np.float64))
    return pa.table(columns)


def _nullable(values: Any) -> Any:
    return pa.array(values, mask=np.isnan(values))


def _typed(value: Any, of: type) -> Any:
    if value is None:
        return None
    try:
        return _text(value) if of is str else of(value)
    except (TypeError, ValueError, OverflowError):
        # A file that others wrote may hold anything.
        return None


def _text(value: Any) -> str:
    """Returns text that is UTF-8, which names of files need not be."""
    return str(value).encode(errors="backslashreplace").decode()
