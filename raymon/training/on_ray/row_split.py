"""How `ray.data` distributes rows over workers.

Actors of Ray Train import this file, so it imports nothing that takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray.data
import ray.train


class EveryRow(ray.train.DataConfig):
    """Gives every row to some worker; the default of Ray drops rows to make all parts equal."""

    def configure(
        self, datasets: Mapping[str, ray.data.Dataset], world_size: int, *_: Any, **__: Any
    ) -> list[dict[str, ray.data.DataIterator]]:
        """Splits the datasets; see `ray.train.DataConfig.configure`."""
        shards: list[dict[str, ray.data.DataIterator]] = [{} for _ in range(world_size)]
        for name, dataset in datasets.items():
            for shard, part in zip(shards, dataset.streaming_split(world_size), strict=True):
                shard[name] = part
        return shards
