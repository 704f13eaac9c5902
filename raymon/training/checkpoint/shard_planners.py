"""Parts of tables as entries of `torch.distributed.checkpoint`, which writes and reads by chunks.

An entry that is no tensor may say itself which chunks of a tensor it is; only how to find its
memory again is left to the planners. Any rank can then read any part of what all ranks wrote.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.distributed.checkpoint.default_planner import DefaultLoadPlanner, DefaultSavePlanner
from torch.distributed.checkpoint.metadata import (
    ChunkStorageMetadata,
    Metadata,
    MetadataIndex,
    TensorProperties,
)
from torch.distributed.checkpoint.planner import TensorWriteData, WriteItem, WriteItemType

from raymon.embeddings import Shard, TableShards


class _Entry:
    """What this rank holds of a table, in the form that the checkpoint knows."""

    def __init__(self, shards: TableShards) -> None:
        self.shards = shards

    def size(self) -> torch.Size:
        """Returns the shape of the whole."""
        return self.shards.shape

    def __create_write_items__(self, fqn: str, _: object) -> list[WriteItem]:
        """Returns what is written, a chunk for each shard."""
        properties = TensorProperties(dtype=self.shards.dtype)
        return [
            WriteItem(
                index=MetadataIndex(fqn, _offsets(shard)),
                type=WriteItemType.SHARD,
                tensor_data=TensorWriteData(_chunk(shard), properties, self.shards.shape),
            )
            for shard in self.shards.shards
        ]

    def __create_chunk_list__(self) -> list[ChunkStorageMetadata]:
        """Returns the chunks that are read."""
        return [_chunk(shard) for shard in self.shards.shards]

    def find(self, index: MetadataIndex) -> torch.Tensor:
        """Returns the memory of a chunk."""
        return next(s.values for s in self.shards.shards if _offsets(s) == index.offset)


def entries(stored: Mapping[str, torch.Tensor | TableShards]) -> dict[str, torch.Tensor | _Entry]:
    """Returns tensors and parts of tensors as entries of a checkpoint, by name."""
    return {n: _Entry(one) if isinstance(one, TableShards) else one for n, one in stored.items()}


class SavePlanner(DefaultSavePlanner):
    """A planner that writes parts of tables too."""

    def lookup_object(self, index: MetadataIndex) -> object:
        """Returns the memory that is written."""
        entry = self.state_dict[index.fqn]
        return entry.find(index) if isinstance(entry, _Entry) else super().lookup_object(index)


class LoadPlanner(DefaultLoadPlanner):
    """A planner that reads parts of tables too, whichever parts were written.

    Args:
        wanted: What is read, by name.
    """

    def __init__(self, wanted: Mapping[str, torch.Tensor | _Entry]) -> None:
        super().__init__()
        self._parts = {name: one for name, one in wanted.items() if isinstance(one, _Entry)}

    def set_up_planner(
        self,
        state_dict: dict[str, object],
        metadata: Metadata | None = None,
        is_coordinator: bool = False,
    ) -> None:
        """Takes what is read; the default planner knows tensors alone, and puts None for others."""
        super().set_up_planner(state_dict, metadata, is_coordinator)
        self.state_dict.update(self._parts)

    def lookup_tensor(self, index: MetadataIndex) -> torch.Tensor:
        """Returns the memory that is read into."""
        entry = self.state_dict[index.fqn]
        if isinstance(entry, _Entry):
            return entry.find(index)
        found: torch.Tensor = super().lookup_tensor(index)
        return found


def _offsets(shard: Shard) -> torch.Size:
    return torch.Size((shard.row, shard.column))


def _chunk(shard: Shard) -> ChunkStorageMetadata:
    return ChunkStorageMetadata(_offsets(shard), shard.values.shape)
