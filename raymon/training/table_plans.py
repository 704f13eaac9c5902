"""Where the embedding tables of a run are held: made, written and read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from raymon.embeddings import (
    TablePlan,
    replicated_plan,
    state_numbers,
    table_shapes,
)
from raymon.errors import RunError, reason
from raymon.models import Model
from raymon.protos.train_pb2 import TrainConfig
from raymon.storage import StoragePath, to_json, write_whole

TABLES_FILE = "tables.json"


def plan_tables(config: TrainConfig, model: Model, world_size: int) -> list[TablePlan]:
    """Returns where each table of a model is held; the same on every rank.

    Args:
        config: Config whose optimizer trains the tables.
        model: Model of this rank, as it is trained.
        world_size: Number of ranks.
    """
    states = state_numbers(config)
    placements = {} if model.sharded is None else model.sharded.placements
    plans = []
    for shape in table_shapes(model):
        placement = placements.get(f"{shape.table}.weight")
        if placement is None:
            plans += replicated_plan([shape], states, world_size)
            continue
        parts: dict[int, list[tuple[int, int]]] = {}
        for rank, rows, columns in placement.ranks:
            parts.setdefault(rank, []).append((rows, columns))
        plans.append(TablePlan.of(shape, states, parts, placement.sharding, placement.kernel))
    return plans


def write_plans(
    model_dir: StoragePath, plans: Sequence[Mapping[str, Any]], world_size: int
) -> str | None:
    """Writes plans into the directory of a run, atomically.

    Returns:
        Why they are not written; None if they are.
    """
    content = {"world_size": world_size, "embedding_tables": [dict(plan) for plan in plans]}
    try:
        write_whole(model_dir / TABLES_FILE, (to_json(content, indent=2) + "\n").encode())
    except (OSError, pa.ArrowException, RunError) as error:
        return f"{TABLES_FILE} is not written: {reason(error)}"
    return None


def read_plans(model_dir: StoragePath) -> list[dict[str, Any]]:
    """Returns the plans that `write_plans` wrote; empty if there are none."""
    try:
        found = json.loads((model_dir / TABLES_FILE).read_text())["embedding_tables"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []
