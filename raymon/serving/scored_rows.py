"""The rows of an input with their scores, table by table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import torch

from raymon.data import DataReader
from raymon.errors import RunError
from raymon.serving.output import TableWriter, table_writer
from raymon.serving.output_columns import OutputColumns
from raymon.serving.scorer import Scorer


def write_scored(
    scorer: Scorer,
    reader: DataReader,
    columns: OutputColumns,
    batch_size: int,
    path: Path,
    name: str,
) -> None:
    """Scores the rows of a reader and writes them to a file, in their order.

    Args:
        scorer: Scorer of the rows.
        reader: Reader of the rows, in batches of `batch_size`.
        columns: Columns that are written.
        batch_size: Rows of a batch.
        path: File that is written.
        name: Final name of the file, which gives its format.

    Raises:
        UserError: The rows cannot be read, or the format cannot hold them.
    """
    kept = _kept(reader, columns.kept, batch_size)
    with closing(reader.epoch(0)) as batches, torch.inference_mode():
        first, own = next(batches), next(kept)
        table = columns.table(own, scorer.score(first))
        with table_writer(path, name, table.schema) as writer:
            writer.write_table(table)
            for batch, own in zip(batches, kept, strict=bool(columns.kept)):
                _write(writer, table.schema, columns.table(own, scorer.score(batch)))


def _write(writer: TableWriter, schema: pa.Schema, table: pa.Table) -> None:
    """Writes a table, in which a row has to have the same number of scores as in the first."""
    for one, other in zip(schema, table.schema, strict=True):
        if one.type != other.type:
            raise RunError(
                f"prediction {one.name}: is {one.type} in one batch and {other.type} in another: "
                "the model scores the rows of a batch against each other, so a row has no scores "
                "of its own"
            )
    writer.write_table(table)


def _kept(reader: DataReader, schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """Yields columns of the input as they are, in tables of so many rows."""
    if not schema:
        while True:
            yield pa.table({})
    waiting: list[pa.Table] = []
    for table in reader.tables(schema):
        waiting.append(table)
        while sum(map(len, waiting)) >= rows:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, rows)
            waiting = [whole.slice(rows)]
    if sum(map(len, waiting)):
        yield pa.concat_tables(waiting)
