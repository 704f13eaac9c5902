"""Batches of a dataset of unknown length, whose steps the ranks agree on in advance."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

import torch

from raymon.data import Batch, DatasetBatch, DatasetPosition, DatasetReader, Position
from raymon.errors import DataError, TrainingError
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.input.feed import FedBatch, RunPosition
from raymon.training.rank.worker_context import ANOTHER_WORKER, WorkerContext

_ENOUGH_ROWS = 16
"""Number of rows that several ranks do not have in common by chance."""


class UnknownLengthFeed:
    """Batches of a dataset of unknown length.

    Ahead of each step, and while earlier steps run, the ranks exchange how many rows each has.
    Implements `Feed`.

    Args:
        config: Train config; it sets the length of the run and the steps of a group.
        reader: Reader of this rank.
        context: The world of this rank.
    """

    def __init__(self, config: TrainConfig, reader: DatasetReader, context: WorkerContext) -> None:
        self._config = config
        self._reader = reader
        self._context = context
        self.data = reader.name
        self.counts = reader.counts
        self.begin = RunPosition(Position(0, 0), DatasetPosition())

    def batches(self, step: int, position: RunPosition) -> Generator[FedBatch, None, None]:
        """Yields the batches that are left of the run after `step` steps.

        Raises:
            DataError: An epoch has no rows, or all ranks read the same rows.
            TrainingError: The dataset of another rank failed.
        """
        config = self._config
        left = None if config.HasField("num_epochs") else config.num_steps - step
        while left is None or left > 0:
            epoch, begin = position.shared.epoch, position.shared.row
            if left is None and epoch >= config.num_epochs:
                return
            before = left
            for fed in self._epoch(epoch, position, left):
                position = fed.after
                left = None if left is None else left - 1
                yield fed
            if position.shared.epoch == epoch:
                # Nothing was left of the epoch, or the run needs no more of it.
                if before == left and begin == 0:
                    raise DataError(
                        f"{self._reader.name}: gave no rows in epoch {epoch}; it must give some in "
                        "every epoch, as a function in place of a generator can"
                    )
                position = RunPosition(Position(epoch + 1, 0), DatasetPosition())

    def _epoch(self, epoch: int, position: RunPosition, left: int | None) -> Iterator[FedBatch]:
        size = max(1, self._config.gradient_accumulation_steps)
        row = position.shared.row
        with closing(self._reader.batches(epoch, position.own or DatasetPosition())) as batches:
            ahead = _Lookahead(batches, self._context)
            if epoch == 0 and row == 0:
                self._check_different(ahead.first())
            while left is None or left > 0:
                # One step past the group shows whether the group ends the epoch; a second one is
                # asked for ahead, while the group is trained on.
                ahead.ask(size + 2 if left is None else min(size + 2, left + 1))
                rows = [ahead.rows(index) for index in range(min(size + 1, len(ahead)))]
                steps = rows.index(0) if 0 in rows else len(rows)
                group = min(steps, size if left is None else min(size, left))
                for index in range(group):
                    item = ahead.next()
                    row += rows[index]
                    ends_epoch = index + 1 < len(rows) and rows[index + 1] == 0
                    shared = Position(epoch + 1, 0) if ends_epoch else Position(epoch, row)
                    own = ahead.at_end if ends_epoch else item.after
                    yield FedBatch(
                        item.batch,
                        sum(rows[:group]),
                        group,
                        index + 1 == group,
                        ends_epoch,
                        RunPosition(shared, own),
                    )
                left = None if left is None else left - group
                if steps <= group and 0 in rows:
                    return

    def _check_different(self, batch: Batch) -> None:
        context = self._context
        own = _checksum(batch)
        different = own != context.broadcast(own) or context.rank == 0 or batch.size < _ENOUGH_ROWS
        if not context.all_agree(different):
            raise DataError(
                f"{self._reader.name}: several workers begin with the same rows; every worker "
                "must read its part: give a function of rank and world_size"
            )


class _Lookahead:
    """Batches of this rank whose numbers of rows are sent to the other ranks ahead of their step.

    Args:
        batches: Batches of this rank; the last one has no rows.
        context: The world of this rank.
    """

    def __init__(self, batches: Iterator[DatasetBatch], context: WorkerContext) -> None:
        self._batches = batches
        self._context = context
        self._asked: deque[tuple[DatasetBatch, Callable[[], torch.Tensor]]] = deque()
        self._last = DatasetBatch(Batch(0), DatasetPosition())
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._asked)

    @property
    def at_end(self) -> DatasetPosition:
        """Position after the last batch of this rank, once it is drawn."""
        return self._last.after

    def ask(self, steps: int) -> None:
        """Draws batches until `steps` of them wait, and starts to sum their rows over all ranks."""
        while len(self._asked) < steps:
            try:
                self._last = next(self._batches, self._last)
            except Exception as error:
                self._error = error
            own = torch.tensor([self._last.batch.size, int(self._error is not None)])
            self._asked.append((self._last, self._context.begin_sum(own)))

    def first(self) -> Batch:
        """Returns the first batch of this rank, once every rank has drawn its first."""
        self.ask(1)
        self.rows(0)
        return self._asked[0][0].batch

    def rows(self, index: int) -> int:
        """Returns the rows of all ranks in a step that was asked for.

        Args:
            index: Index of the step among those that wait, from 0.

        Raises:
            TrainingError: Another rank could draw no batch; if this rank could not, its own
                exception.
        """
        rows, failed = self._asked[index][1]().tolist()
        if failed:
            # All ranks raise in the same step: none waits for another.
            raise self._error or TrainingError(ANOTHER_WORKER)
        return int(rows)

    def next(self) -> DatasetBatch:
        """Removes and returns the first batch that waits."""
        return self._asked.popleft()[0]


def _checksum(batch: Batch) -> int:
    tensors = [*batch.labels.values(), *batch.dense.values()]
    tensors += [ids.values for ids in batch.sparse.values()]
    tensors += [each for found in batch.sequences.values() for each in found.tensors()]
    checksum = 0
    for tensor in tensors:
        checksum = zlib.crc32(tensor.contiguous().numpy().tobytes(), checksum)
    return checksum
