"""Scores raw rows of files into a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raymon.data import DataReader, check_input, format_by_ending, input_files, may_be_read
from raymon.errors import RunError, os_reason
from raymon.serving.output import format_of_output
from raymon.serving.output_columns import choose_columns
from raymon.serving.scored_rows import write_scored
from raymon.serving.scorer import Scorer, exported_scorer
from raymon.storage import StoragePath, drafted

BATCH = 4096


def predict(
    directory: StoragePath,
    input_path: str,
    output: StoragePath,
    *,
    keep: Sequence[str] = (),
    output_columns: Sequence[str] = (),
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
        output_columns: Predictions and columns of the input that are written after those, in this
            order; empty for all predictions.
        batch_size: Rows of a batch.
        threads: Threads that read ahead.
        overwrite: Whether an existing file with the name of the output is replaced.

    Returns:
        The number of rows.

    Raises:
        UserError: The model or the data cannot be read, or the output cannot be written.
    """
    check_output_file(input_path, output, overwrite)
    check_outside(directory, output)
    format_of_output(output.name)
    return predict_file(
        exported_scorer(directory),
        input_path,
        output,
        keep=keep,
        output_columns=output_columns,
        batch_size=batch_size,
        threads=threads,
        overwrite=overwrite,
    )


def predict_file(
    scorer: Scorer,
    input_path: str,
    output: StoragePath,
    *,
    keep: Sequence[str],
    output_columns: Sequence[str],
    batch_size: int,
    threads: int,
    overwrite: bool,
) -> int:
    """Scores rows of files with a model that is open; the arguments are those of `predict`.

    The output has been checked.
    """
    reader = open_input(scorer, input_path, batch_size, threads)
    columns = choose_columns(scorer, reader, keep, output_columns)
    try:
        with drafted(output, replace=overwrite) as draft:
            write_scored(scorer, reader, columns, batch_size, draft, output.name)
    except OSError as error:
        raise RunError(f"{output}: cannot be written: {os_reason(error)}") from None
    return reader.rows


def open_input(scorer: Scorer, input_path: str, batch_size: int, threads: int) -> DataReader:
    """Returns a reader of the files to score, after checking them.

    Raises:
        DataError: They cannot be read, or lack a column.
    """
    form = format_by_ending(input_path, scorer.file_format)
    check_input(input_path, scorer.columns, file_format=form)
    return DataReader(
        input_path, scorer.columns, batch_size=batch_size, num_workers=threads, file_format=form
    )


def check_outside(model: StoragePath, output: StoragePath) -> None:
    """Checks that an output is not in the directory of a model.

    Raises:
        RunError: It is.
    """
    if may_be_read(str(model), output):
        raise RunError(f"{output}: is in the model {model}; give another OUTPUT")


def check_apart(input_path: str, output: StoragePath) -> None:
    """Checks that an output is not where the input is read.

    Raises:
        RunError: It is.
    """
    if may_be_read(input_path, output):
        raise RunError(
            f"{output}: is of the input {input_path}, or would be read with it; give another OUTPUT"
        )


def check_output_file(input_path: str, output: StoragePath, overwrite: bool) -> None:
    """Checks that an existing file is replaced only if asked for, and the input never.

    Raises:
        RunError: It would be replaced, or the output is no file of a format that is written.
    """
    check_apart(input_path, output)
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
