"""Steps of a model of 26 tables, whose lookups are counted or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.contenders.clicks import Times
from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import EmbeddingCollection, EmbeddingTable
from raymon.protos.optimizer_pb2 import SparseOptimizer
from raymon.recorder import Outbox, Recorder, TableLookups
from raymon.reporter import InProcessReporter, Reporter
from raymon.training.optim.row_optimizers import build_row_optimizer
from raymon.training.optim.table_gradients import TableGradients

TABLES, DIM, ROWS_OF_STEP = 26, 16, 4_096
WINDOW = 100
"""Number of steps of a window."""

_DEVICE = torch.device("cpu")


class TableModel:
    """A model of tables, a small MLP and their optimizers, with the recorder of its steps.

    Args:
        rows: Rows of each table.
        directory: Directory of the run.
        counts_lookups: Whether lookups in the tables are counted.
    """

    def __init__(self, rows: int, directory: Path, counts_lookups: bool) -> None:
        torch.manual_seed(0)
        self._rows = rows
        self._collection = EmbeddingCollection(
            {f"f{i}": EmbeddingSpec(f"t{i}", rows, DIM) for i in range(TABLES)}
        )
        self._top = nn.Sequential(nn.Linear(TABLES * DIM, 256), nn.ReLU(), nn.Linear(256, 1))
        tables = [t for t in self._collection.modules() if isinstance(t, EmbeddingTable)]
        self._gradients = TableGradients(tables)
        block = SparseOptimizer()
        block.adagrad_optimizer.lr = 0.1
        self._sparse = build_row_optimizer(block, self._gradients.tables)
        self._dense = torch.optim.Adam(self._top.parameters(), 1e-3)
        directory.mkdir(parents=True)
        reporter = InProcessReporter(Reporter(directory, [], WINDOW, 10.0))
        self._recorder = Recorder(
            attempt=reporter.begin_attempt("a", 1, 0, {}),
            rank=0,
            metrics={},
            update_train_metric=lambda predictions, batch: None,
            log_step_count_steps=WINDOW,
            outbox=Outbox(reporter, lambda ack: None),
            device=_DEVICE,
            tables=TableLookups({"embeddings": self._collection}) if counts_lookups else None,
        )

    def steps(self, steps: int) -> Times:
        """Makes steps, and returns the seconds of each."""
        times = []
        for batch in _batches(self._rows, steps):
            began = time.perf_counter()
            self._step(batch)
            times.append(time.perf_counter() - began)
        return times

    def close(self) -> None:
        """Sends what is left; what was counted must have arrived."""
        assert self._recorder.close(10.0)
        assert self._recorder.failures == 0

    def _step(self, batch: Batch) -> None:
        embeddings = self._collection(batch)
        logits = self._top(torch.cat(list(embeddings.values()), 1)).squeeze(1)
        loss = binary_cross_entropy_with_logits(logits, batch.labels["click"])
        self._dense.zero_grad(set_to_none=True)
        loss.backward()
        self._gradients.exchange(1)
        self._sparse.step()
        self._gradients.clear()
        self._dense.step()
        losses = {"binary_cross_entropy": loss.detach()}
        self._recorder.step(losses, None, batch, samples=batch.size, weights=float(batch.size))


def _batches(rows: int, steps: int) -> Iterator[Batch]:
    """Yields batches of ids, of which small ones are frequent; 20 different ones in turn."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for _ in range(20):
        ids = (torch.rand(TABLES, ROWS_OF_STEP, generator=generator) ** 3 * rows).long()
        sparse = {f"f{i}": IdList(column.clone()) for i, column in enumerate(ids)}
        clicks = torch.rand(ROWS_OF_STEP, generator=generator).round()
        made.append(Batch(ROWS_OF_STEP, sparse=sparse, labels={"click": clicks}))
    for step in range(steps):
        yield made[step % len(made)]
