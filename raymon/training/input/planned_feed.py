"""Batches of files, whose numbers of rows are known beforehand."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from raymon.data import DataReader
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.input.feed import FedBatch, RunPosition
from raymon.training.input.readers import steps_to_go


class PlannedFeed:
    """Batches of files: every rank knows the rows of the others without communication.

    Implements `Feed`.

    Args:
        config: Train config; it sets the length of the run and the steps of a group.
        reader: Reader of this rank.
    """

    def __init__(self, config: TrainConfig, reader: DataReader) -> None:
        self._config = config
        self._reader = reader
        self.data = reader.fingerprint
        self.counts = reader.counts
        self.begin = RunPosition(reader.begin)

    def batches(self, step: int, position: RunPosition) -> Generator[FedBatch, None, None]:
        """Yields the batches that are left of the run after `step` steps."""
        reader, shared = self._reader, position.shared
        left = steps_to_go(self._config, reader, step, shared)
        while left > 0:
            steps = reader.steps_from(shared.row)
            rows, at = [], shared.row
            for _ in range(min(steps, left)):
                rows.append(reader.rows_at(at))
                at += rows[-1]
            left -= len(rows)
            size = max(1, self._config.gradient_accumulation_steps)
            epoch = reader.epoch(shared.epoch, shared.row, shared.streams)
            with closing(epoch) as batches:
                for begin in range(0, len(rows), size):
                    group = rows[begin : begin + size]
                    for index in range(begin, begin + len(group)):
                        shared = reader.after(shared)
                        yield FedBatch(
                            next(batches),
                            sum(group),
                            len(group),
                            index + 1 == begin + len(group),
                            index + 1 == steps,
                            RunPosition(shared),
                        )
