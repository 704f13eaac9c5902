"""Scores of raw rows by an exported model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from raymon.data import Columns, DataReader, check_input
from raymon.errors import RunError, os_reason
from raymon.serving.bundle import open_bundle
from raymon.serving.program import program_inputs
from raymon.storage import StoragePath, drafted

BATCH = 4096


def predict(
    directory: StoragePath,
    input_path: str,
    output: StoragePath,
    *,
    keep: Sequence[str] = (),
    batch_size: int = BATCH,
    threads: int = 8,
) -> int:
    """Scores Parquet with the model that was exported into a directory.

    The output has a row for each row of the input, in the same order: the columns that are kept,
    then the predictions. It is there whole or not at all.

    Args:
        directory: What `raymon export` wrote.
        input_path: Files, a directory or a glob, on any storage that `pyarrow.fs` opens.
        output: A Parquet file; one that is there is replaced.
        keep: Columns of the input that the output has too.
        batch_size: Rows at a time.
        threads: That read ahead.

    Returns:
        How many rows there are.

    Raises:
        UserError: The model or the data cannot be read, or the output not be written.
    """
    bundle = open_bundle(directory)
    columns = Columns(bundle.features, {})
    check_input(input_path, columns)
    reader = DataReader(input_path, columns, batch_size=batch_size, num_workers=threads)
    kept = _kept(reader, keep, batch_size)
    try:
        with drafted(output) as draft, closing(reader.epoch(0)) as batches, torch.inference_mode():
            writer: pq.ParquetWriter | None = None
            try:
                for batch, own in zip(batches, kept, strict=bool(keep)):
                    inputs = program_inputs(batch, bundle.features)
                    table = _table(own, bundle.program(*inputs))
                    writer = writer or pq.ParquetWriter(draft, table.schema)
                    writer.write_table(table)
                assert writer is not None
            finally:
                if writer is not None:
                    writer.close()
    except OSError as error:
        raise RunError(f"{output}: cannot be written: {os_reason(error)}") from None
    return reader.rows


def _kept(reader: DataReader, names: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """Columns of the input as they are, so many rows at a time."""
    if not names:
        while True:
            yield pa.table({})
    waiting: list[pa.Table] = []
    for table in reader.tables(names):
        waiting.append(table)
        while sum(map(len, waiting)) >= rows:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, rows)
            waiting = [whole.slice(rows)]
    if sum(map(len, waiting)):
        yield pa.concat_tables(waiting)


def _table(kept: pa.Table, predictions: dict[str, torch.Tensor]) -> pa.Table:
    columns = {name: kept[name] for name in kept.column_names}
    both = columns.keys() & predictions.keys()
    if both:
        raise RunError(f"--keep {min(both)}: is the name of a prediction too")
    for name, values in predictions.items():
        array = values.detach().float().numpy()
        if array.ndim == 1:
            columns[name] = pa.array(array)
        else:
            flat = pa.array(array.reshape(-1))
            columns[name] = pa.FixedSizeListArray.from_arrays(flat, array[0].size)
    return pa.table(columns)
