"""Scores raw rows with a run, a checkpoint or an export, in this process or on workers of Ray."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.data import input_files
from raymon.errors import RunError
from raymon.serving import (
    BATCH,
    check_output_directory,
    check_output_file,
    check_outside,
    format_of_output,
    predict_file,
)
from raymon.storage import StoragePath
from raymon.training.scorer import open_scorer

_THREADS = 8


def predict_rows(
    model: StoragePath,
    input_path: str,
    output: StoragePath,
    *,
    checkpoint: str | None = None,
    keep: Sequence[str] = (),
    output_columns: Sequence[str] = (),
    batch_size: int = BATCH,
    num_workers: int = 0,
    address: str | None = None,
    overwrite: bool = False,
) -> int:
    """Scores rows of files with a model, and writes their predictions.

    The output has a row for each row of the input, in the same order. It is written whole or not
    at all.

    Args:
        model: Directory of a run, of a checkpoint or of an export.
        input_path: Files, a directory or a glob, as `raymon.serving.predict` takes them.
        output: File, as `raymon.serving.predict` writes it; with workers a directory of Parquet
            files, whose names have the order of the rows.
        checkpoint: Checkpoint of a run: "latest", "best", or a step; None for the latest one.
        keep: Columns of the input that are copied to the output.
        output_columns: Predictions and columns of the input that are written after those, in this
            order; empty for all predictions.
        batch_size: Rows of a batch.
        num_workers: Workers of Ray; 0 scores in this process.
        address: Address of a Ray cluster, as for `train`.
        overwrite: Whether an existing output is replaced.

    Returns:
        The number of rows.

    Raises:
        UserError: The model or the data cannot be read, or the output cannot be written.
        TrainingError: Workers were lost.
    """
    if num_workers == 0 and address is not None:
        raise RunError("--address: has no effect without workers; give --num-workers as well")
    check = check_output_directory if num_workers else check_output_file
    check(input_path, output, overwrite)
    if num_workers == 0:
        format_of_output(output.name)
    # A model may take minutes to open; that there is an input is known at once.
    input_files(input_path)
    scorer = open_scorer(model, checkpoint)
    check_outside(scorer.source, output)
    if num_workers == 0:
        return predict_file(
            scorer,
            input_path,
            output,
            keep=keep,
            output_columns=output_columns,
            batch_size=batch_size,
            threads=_THREADS,
            overwrite=overwrite,
        )
    from raymon.training.on_ray.predict import predict_parts

    return predict_parts(
        scorer,
        input_path,
        output,
        keep=keep,
        output_columns=output_columns,
        batch_size=batch_size,
        num_workers=num_workers,
        address=address,
    )
