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


def count_parameters(model: Model) -> dict[str, int]:
    """Returns the numbers that a model has, trained or not, on all ranks together.

    Returns:
        "dense": those that each rank has a copy of; "embedding": rows times dim of all tables.
    """
    tables = {id(table.weight) for table in model.whole_tables()}
    dense = sum(p.numel() for p in model.parameters() if id(p) not in tables)
    embedding = sum(shape.rows * shape.dim for shape in table_shapes(model))
    return {"dense": dense, "embedding": embedding}


def write_plans(
    model_dir: StoragePath,
    plans: Sequence[Mapping[str, Any]],
    world_size: int,
    parameters: Mapping[str, int],
) -> str | None:
    """Writes plans into the directory of a run, atomically.

    Args:
        model_dir: Directory of the run.
        plans: Plans of its tables.
        world_size: Number of ranks.
        parameters: What `count_parameters` says of its model.

    Returns:
        Why they are not written; None if they are.
    """
    content = {
        "world_size": world_size,
        "parameters": dict(parameters),
        "embedding_tables": [dict(plan) for plan in plans],
    }
    try:
        write_whole(model_dir / TABLES_FILE, (to_json(content, indent=2) + "\n").encode())
    except (OSError, pa.ArrowException, RunError) as error:
        return f"{TABLES_FILE} is not written: {reason(error)}"
    return None


def read_plans(model_dir: StoragePath) -> list[dict[str, Any]]:
    """Returns the plans that `write_plans` wrote; empty if there are none."""
    found = _read(model_dir, "embedding_tables")
    return found if isinstance(found, list) else []


def read_parameters(model_dir: StoragePath) -> dict[str, int] | None:
    """Returns the parameters that `write_plans` wrote; None if there are none."""
    found = _read(model_dir, "parameters")
    return found if isinstance(found, dict) else None


def _read(model_dir: StoragePath, name: str) -> Any:
    try:
        return json.loads((model_dir / TABLES_FILE).read_text())[name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
