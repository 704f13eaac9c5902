"""The writing and the commit of one checkpoint, by all ranks together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from raymon.embeddings import TableShards
from raymon.errors import reason
from raymon.storage import FileEntry, StoragePath
from raymon.training.checkpoint.manifest import (
    TRAINER,
    TensorPlace,
    begin_checkpoint,
    file_entries,
    rank_part,
    upload_staged,
    write_manifest,
    write_part,
)
from raymon.training.rank.worker_context import ANOTHER_WORKER, WorkerContext


@dataclass(frozen=True)
class RankPart:
    """What one rank writes of a checkpoint, on the CPU; memory that does not change.

    Attributes:
        tensors: Tensors, and parts of sharded tables, by name.
        shared: The rest of the state that is the same on every rank; empty on all but rank 0, which
            writes it.
        own: State that only this rank has.
    """

    tensors: Mapping[str, torch.Tensor | TableShards]
    shared: Mapping[str, Any]
    own: Mapping[str, Any]


@dataclass(frozen=True)
class CheckpointContent:
    """The content that a rank writes into a checkpoint.

    Attributes:
        step: Steps that the model has made.
        epoch: Epochs that are over.
        stopped: Which scores stopped improving, so that the run ends there; None if they improve.
        metrics: Scores of the evaluation at that step, by name.
        part: Function that waits for the copies of what this rank writes, and returns them.
        places: Place of each tensor of the state, on whichever rank.
        embedding_tables: Where each table is held, as it is written to files.
    """

    step: int
    epoch: int
    stopped: str | None
    metrics: Mapping[str, float]
    part: Callable[[], RankPart]
    places: Mapping[str, TensorPlace]
    embedding_tables: Sequence[Mapping[str, Any]] = ()


class CheckpointWriter:
    """Writes the part of this rank, and commits the checkpoint when all parts are written.

    Every rank takes the same actions in the same order. After each of them the ranks agree whether
    it succeeded on all; if it failed on one, none goes on. The manifest is written last, by rank 0:
    until then there is no checkpoint.

    Args:
        path: Directory of the checkpoint.
        staged: Directory into which this rank writes its files; see `staging_directory`.
        content: Content that it writes.
        world: World of this rank, for the thread that writes.
    """

    def __init__(
        self, path: StoragePath, staged: Path, content: CheckpointContent, world: WorkerContext
    ):
        self._path = path
        self._staged = staged
        self._content = content
        self._world = world
        self._error: Exception | None = None
        self._part = RankPart({}, {}, {})
        self._entries: Mapping[str, FileEntry] = {}
        self._entries_of_ranks: Sequence[Mapping[str, FileEntry]] = ()

    def write(self) -> str | None:
        """Writes the checkpoint; every rank calls it, once.

        Returns:
            Why there is no checkpoint; None if there is one.
        """
        actions = (self._begin, self._wait_for_copies, self._write_tensors, self._write_rest)
        if not all(self._succeeds(action) for action in actions):
            return self._why()
        self._entries_of_ranks = self._world.gather(self._entries)
        return None if self._succeeds(self._commit) else self._why()

    def _succeeds(self, action: Callable[[], None]) -> bool:
        """Takes an action, and returns whether it succeeded on every rank."""
        try:
            action()
        except Exception as error:
            self._error = error
        return self._world.all_agree(self._error is None)

    def _why(self) -> str:
        return reason(self._error) if self._error else ANOTHER_WORKER

    def _begin(self) -> None:
        if self._world.rank == 0:
            begin_checkpoint(self._path)

    def _wait_for_copies(self) -> None:
        # An action of its own: a rank that fails here must not leave the others in a collective.
        self._part = self._content.part()

    def _write_tensors(self) -> None:
        # Imported here, since it takes a while.
        from raymon.training.checkpoint.tensor_files import write_tensors

        with self._world.in_collective():
            write_tensors(self._staged, self._part.tensors, self._world.group, self._world.at_work)

    def _write_rest(self) -> None:
        names = [rank_part(self._world.rank)]
        write_part(self._staged, names[0], self._part.own)
        if self._world.rank == 0:
            write_part(self._staged, TRAINER, self._part.shared)
            names.append(TRAINER)
        self._entries = file_entries(self._staged, self._world.rank, names)
        upload_staged(self._staged, self._path)

    def _commit(self) -> None:
        if self._world.rank == 0:
            write_manifest(
                self._path,
                step=self._content.step,
                epoch=self._content.epoch,
                stopped=self._content.stopped,
                metrics=self._content.metrics,
                world_size=self._world.world_size,
                files={n: entry for part in self._entries_of_ranks for n, entry in part.items()},
                tensors=self._content.places,
                embedding_tables=self._content.embedding_tables,
            )
