"""Scores raw rows with an exported model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pyarrow as pa
import torch

from raymon.data import Columns, DataReader, check_input, format_by_ending, input_files, may_be_read
from raymon.errors import DataError, RunError, os_reason
from raymon.serving.bundle import open_bundle
from raymon.serving.output import TableWriter, format_of_output, table_writer
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
    overwrite: bool = False,
) -> int:
    """Scores rows of files with the model that was exported into a directory.

    The output has a row for each row of the input, in the same order: the columns that are kept,
    then the predictions. It is written whole or not at all.

    Args:
        directory: Directory that `raymon export` wrote.
        input_path: Files, a directory or a glob, on any storage that `pyarrow.fs` opens: Parquet,
            CSV or Arrow IPC by their endings, and else as the files that the model was trained on.
        output: File whose format its ending gives: Parquet (also without an ending), CSV or Arrow
            IPC. It may not be one of the files that are read, nor lie where they would be read.
        keep: Columns of the input that are copied to the output.
        batch_size: Rows of a batch.
        threads: Threads that read ahead.
        overwrite: Whether an existing file with the name of the output is replaced.

    Returns:
        The number of rows.

    Raises:
        UserError: The model or the data cannot be read, or the output cannot be written.
    """
    _check_output(input_path, output, overwrite)
    if may_be_read(str(directory), output):
        raise RunError(f"{output}: is in the model {directory}; give another OUTPUT")
    format_of_output(output.name)
    bundle = open_bundle(directory)
    columns = Columns(bundle.features, {})
    form = format_by_ending(input_path, bundle.file_format)
    check_input(input_path, columns, file_format=form)
    reader = DataReader(
        input_path, columns, batch_size=batch_size, num_workers=threads, file_format=form
    )
    try:
        schema = reader.schema(list(dict.fromkeys(keep)))
    except DataError as error:
        raise DataError(f"--keep: {error}") from None
    kept = _kept(reader, schema, batch_size)
    try:
        with ExitStack() as stack:
            draft = stack.enter_context(drafted(output, replace=overwrite))
            batches = stack.enter_context(closing(reader.epoch(0)))
            stack.enter_context(torch.inference_mode())
            writer: TableWriter | None = None
            first: pa.Schema | None = None
            for batch, own in zip(batches, kept, strict=bool(keep)):
                table = _table(own, bundle.program(*program_inputs(batch, bundle.features)))
                first = first or table.schema
                _check_alike(first, table.schema)
                if writer is None:
                    writer = stack.enter_context(table_writer(draft, output.name, table.schema))
                writer.write_table(table)
    except OSError as error:
        raise RunError(f"{output}: cannot be written: {os_reason(error)}") from None
    return reader.rows


def _check_alike(first: pa.Schema, schema: pa.Schema) -> None:
    """Checks that a row has the same number of scores in each batch."""
    for one, other in zip(first, schema, strict=True):
        if one.type != other.type:
            raise RunError(
                f"prediction {one.name}: is {one.type} in one batch and {other.type} in another: "
                "the model scores the rows of a batch against each other, so a row has no scores "
                "of its own"
            )


def _check_output(input_path: str, output: StoragePath, overwrite: bool) -> None:
    """Checks that an existing file is replaced only if asked for, and the input never."""
    if may_be_read(input_path, output):
        raise RunError(
            f"{output}: is of the input {input_path}, or would be read with it; give another OUTPUT"
        )
    try:
        there, is_file = output.exists(), output.is_file()
    except OSError as error:
        raise RunError(f"{output}: cannot be written: {os_reason(error)}") from None
    if there and not is_file:
        kind = "a directory" if output.is_dir() else "no file that can be replaced"
        raise RunError(f"{output}: is {kind}; give a file")
    if there and not overwrite:
        raise RunError(
            f"{output}: is there already; --overwrite replaces it, or give another OUTPUT"
        )
    if there and isinstance(output, Path):
        for file in input_files(input_path):
            if file.is_local and output.samefile(file.inner_path):
                raise RunError(
                    f"{output}: is the file {file.path} of the input; give another OUTPUT"
                )


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
