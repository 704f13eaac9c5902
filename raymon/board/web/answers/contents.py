"""`/api/runs/{id}/checkpoints`, `/tables` and `/config`: what a run has made, and is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from raymon.board.web.answers.numbers import number, numbers
from raymon.board.web.query import Query
from raymon.runs import Run, objects_in

_HEALTH = "tables."


def checkpoints(run: Run, query: Query) -> list[dict[str, Any]]:
    """Returns the checkpoints by step."""
    return [
        {
            "step": each.step,
            "path": each.path,
            "metrics": numbers(dict(each.metrics)),
            "bytes": each.size_bytes,
            "time": number(each.time),
            "is_best": each.is_best,
            "is_complete": each.is_complete,
        }
        for each in run.checkpoints
    ]


def tables(run: Run, query: Query) -> list[dict[str, Any]]:
    """Returns the embedding tables, largest first, with the newest figures of their health."""
    health = _health(run)
    found, told = [], set[str]()
    for table in objects_in(run.summary.get("embedding_tables")):
        name = str(table.get("table"))
        key = _short(name, health)
        told.add(key)
        rows, dimension = number(table.get("rows")), number(table.get("dim"))
        ranks = table.get("ranks")
        found.append(
            {
                "name": name,
                "rows": rows,
                "dimension": dimension,
                "bytes": number(table.get("bytes_a_rank")),
                "data_type": table.get("data_type"),
                "sharding": table.get("sharding"),
                "kernel": table.get("kernel"),
                "ranks": len(ranks) if isinstance(ranks, list) else None,
                "series": key if key in health else None,
                "health": health.get(key, {}),
            }
        )
    others = [
        {"name": name, "rows": figures.get("rows"), "dimension": None, "bytes": None,
         "data_type": None, "sharding": None, "kernel": None, "ranks": None, "series": name,
         "health": figures}
        for name, figures in health.items() if name not in told
    ]  # fmt: skip
    return sorted([*found, *others], key=lambda each: -(each["bytes"] or 0))


def config(run: Run, query: Query) -> dict[str, Any]:
    """Returns the config as it ran; null if there is none."""
    return {"text": run.config_text}


def _health(run: Run) -> dict[str, dict[str, float]]:
    """Returns the newest figures of the tables, by the name that the windows have for them."""
    columns, health = run.series, dict[str, dict[str, float]]()
    for name in columns.names:
        if not name.startswith(_HEALTH):
            continue
        table, _, figure = name.removeprefix(_HEALTH).rpartition(".")
        known = columns.column(name)
        known = known[np.isfinite(known)]
        if table and len(known):
            health.setdefault(table, {})[figure] = float(known[-1])
    return health


def _short(name: str, health: Mapping[str, Any]) -> str:
    """Returns the name of a table in windows: `item_id` for `embeddings.tables.t_item_id`."""
    group, _, last = name.rpartition(".tables.t_")
    return next((key for key in (f"{group}.{last}", last, name) if key in health), name)
