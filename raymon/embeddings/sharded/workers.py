"""The workers for which tables are placed."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Workers:
    """What tables are planned for.

    Attributes:
        world_size: Number of workers.
        on_node: Number of workers on a node.
        device: Device of a worker.
        memory: Bytes that a worker may take for tables.
        batch_size: Rows a step of a worker.
    """

    world_size: int
    on_node: int
    device: torch.device
    memory: int
    batch_size: int
