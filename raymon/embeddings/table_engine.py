"""What training asks of the engine that holds sharded tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from raymon.embeddings.table_shards import TableShards


class TablePlacement(Protocol):
    """How a table is sharded."""

    @property
    def sharding(self) -> str:
        """Way to shard it, such as `row_wise`."""

    @property
    def kernel(self) -> str:
        """Kernel that holds it, such as `fused`."""

    @property
    def ranks(self) -> tuple[tuple[int, int, int], ...]:
        """Rank and number of rows and columns of each part."""


class ShardedEngine(Protocol):
    """The sharded tables of a model, and the optimizer that is fused with their lookups.

    Attributes:
        tables: What this worker holds of each table, by the path of the parameter.
        states: What it holds of the states of their optimizer, by the path and the name of the
            state.
        steps: Steps that the optimizer has made.
    """

    tables: dict[str, TableShards]
    states: dict[str, dict[str, TableShards]]
    steps: int

    @property
    def placements(self) -> Mapping[str, TablePlacement]:
        """How each table is sharded, by the path of the parameter."""

    @property
    def initial(self) -> float:
        """The number that the states of rows begin with."""

    def begin(self, scale: Tensor) -> None:
        """Sets the scale of the gradients of the next backward.

        Args:
            scale: Factor between these gradients and those of the loss of the global batch; a
                scalar on the device.
        """

    def is_finite(self) -> Tensor:
        """Returns whether all gradients of this rank are finite, a bool on the device."""

    def step(self, rate: float) -> None:
        """Updates the rows that were looked up since `clear`; every rank calls it.

        Args:
            rate: Learning rate.
        """

    def clear(self) -> None:
        """Forgets what was looked up."""
