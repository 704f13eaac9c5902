"""Which worker holds which part of which table, by TorchRec's planner."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch.distributed as dist
from torch import nn
from torchrec.distributed.embeddingbag import EmbeddingBagCollectionSharder
from torchrec.distributed.planner import EmbeddingShardingPlanner, Topology
from torchrec.distributed.planner.storage_reservations import FixedPercentageStorageReservation
from torchrec.distributed.planner.types import ParameterConstraints, PlannerError
from torchrec.distributed.types import ShardingPlan

from raymon.embeddings.sharded.workers import Workers
from raymon.errors import ConfigError, first_line

ROW_WISE = "row_wise"

TABLE_WISE = "table_wise"

_FEWEST_ROWS = 4_096
"""Rows of the smallest table that is split by rows unless its constraints ask for it."""

_SPARE = 0.1
"""Share of the memory that the plan leaves to everything but tables."""


class Sharder(EmbeddingBagCollectionSharder):
    """The sharder of TorchRec, which does not offer rows on the CPU, though gloo can do it."""

    def sharding_types(self, compute_device_type: str) -> list[str]:
        """Returns the ways to shard a table."""
        known = super().sharding_types(compute_device_type)
        return [*known, *({ROW_WISE} - set(known))]


@dataclass(frozen=True)
class Constraint:
    """What the config says about the place of a table.

    Attributes:
        name: Name of the table, for messages.
        rows: Number of its rows.
        nbytes: Bytes of its rows.
        sharding_types: Ways to shard it; empty for the usual ones.
        compute_kernels: Kernels that hold it; empty for any.
    """

    name: str
    rows: int
    nbytes: int
    sharding_types: Sequence[str] = ()
    compute_kernels: Sequence[str] = ()


def make_plan(
    collections: nn.Module,
    sharder: Sharder,
    constraints: Mapping[str, Constraint],
    workers: Workers,
) -> ShardingPlan:
    """Returns the plan of rank 0, on every rank.

    Args:
        collections: `EmbeddingBagCollection`s, on the meta device.
        sharder: Sharder with the optimizer, whose states take memory too.
        constraints: Constraint of each table, by its name in the collections.
        workers: Workers to plan for.

    Raises:
        ConfigError: No plan satisfies the constraints, or fits into the memory.
    """
    kind = workers.device.type
    usual = _usual_types(constraints, workers)
    capacity = {"hbm_cap": workers.memory} if kind == "cuda" else {"ddr_cap": workers.memory}
    planner = EmbeddingShardingPlanner(
        topology=Topology(
            world_size=workers.world_size,
            local_world_size=workers.on_node,
            compute_device=kind,
            **capacity,
        ),
        batch_size=workers.batch_size,
        storage_reservation=FixedPercentageStorageReservation(_SPARE),
        constraints={
            table: ParameterConstraints(
                sharding_types=[*(one.sharding_types or usual[table])],
                compute_kernels=[*(one.compute_kernels or ("fused",))],
            )
            for table, one in constraints.items()
        },
        stats=[],
    )
    found: tuple[ShardingPlan | None, str | None] = (None, None)
    if dist.get_rank() == 0:
        try:
            found = planner.plan(collections, [sharder]), None
        except (PlannerError, RuntimeError) as error:
            # The other ranks would wait for a plan.
            found = None, _explained(error, constraints)
    plan, why = workers.broadcast(found)
    if plan is None:
        raise ConfigError(why or "")
    return plan


def _usual_types(constraints: Mapping[str, Constraint], workers: Workers) -> dict[str, list[str]]:
    """Returns how tables are sharded whose constraints do not say it, by name.

    A whole table on one worker is the faster way: of a table by rows every worker sums up a part of
    each embedding, and sends twice the bytes (26 tables, two workers: 1.5 times the step). But
    whole tables are only even shares of the memory where each of them is small. A table of a few
    rows is never split, since a worker without any has no kernel for them.
    """
    most = sum(one.nbytes for one in constraints.values()) / (2 * workers.world_size)
    return {
        name: [ROW_WISE if one.nbytes > most and one.rows >= _FEWEST_ROWS else TABLE_WISE]
        for name, one in constraints.items()
    }


def _explained(error: Exception, constraints: Mapping[str, Constraint]) -> str:
    for table, one in constraints.items():
        if f" {table}." in str(error):
            asked = [*one.sharding_types, *one.compute_kernels]
            return (
                f"feature_configs: the table {one.name} cannot be placed as embedding_constraints "
                f"({', '.join(asked)}) ask: no plan on this device has that"
            )
    return f"train_config.embedding_tables: no plan of tables fits: {first_line(error)}"


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the advice that TorchRec gives to its own developers off the terminal."""
    # What it asks of torch with every lookup has a successor, of which this warns once.
    logging.getLogger("torch.fx._symbolic_trace").setLevel(logging.ERROR)
    logger = logging.getLogger("torchrec")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
