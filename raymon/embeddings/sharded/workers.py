"""The workers for which tables are placed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

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
        broadcast: Function that returns the value of rank 0, on every rank.
        waiting: Makes a context within which a lookup waits for other ranks.
    """

    world_size: int
    on_node: int
    device: torch.device
    memory: int
    batch_size: int
    broadcast: Callable[[Any], Any]
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
