"""`raymon predict`."""

from __future__ import annotations

import click

from raymon.cli.options import address_option, custom_classes_option, log_options
from raymon.cli.streams import say


@click.command()
@click.argument("model")
@click.argument("input_path", metavar="INPUT")
@click.argument("output")
@click.option("--checkpoint", help="Of a run: 'latest', 'best', or a step.  [default: latest]")
@click.option(
    "--keep", multiple=True, metavar="COLUMN", help="Copy a column of INPUT. May be repeated."
)
@click.option(
    "--output-columns",
    multiple=True,
    metavar="NAME,...",
    help="Write these predictions and columns of INPUT alone, in this order. May be repeated.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=4096,
    show_default=True,
    help="Rows that are scored at a time.",
)
@click.option(
    "--num-workers",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Workers of Ray; 0 scores in this process, without Ray.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT where it is there already.")
@custom_classes_option
@log_options
@address_option
def predict(
    model: str,
    input_path: str,
    output: str,
    checkpoint: str | None,
    keep: tuple[str, ...],
    output_columns: tuple[str, ...],
    batch_size: int,
    num_workers: int,
    overwrite: bool,
    address: str | None,
) -> None:
    """Score INPUT with MODEL: a run, one of its checkpoints, or what raymon export wrote.

    INPUT is files, a directory or a glob, of Parquet, CSV or Arrow IPC. OUTPUT is a file with a row
    for each row of INPUT: CSV where it ends in .csv, .tsv or .csv.gz, Arrow IPC where in .arrow or
    .feather, else Parquet. With --num-workers it is a directory of Parquet files, whose names have
    the order of the rows. It is written whole or not at all.
    """
    from raymon.storage import storage_path
    from raymon.training.predict import predict_rows

    names = [name.strip() for text in output_columns for name in text.split(",")]
    rows = predict_rows(
        storage_path(model),
        input_path,
        storage_path(output),
        checkpoint=checkpoint,
        keep=keep,
        output_columns=[name for name in names if name],
        batch_size=batch_size,
        num_workers=num_workers,
        address=address,
        overwrite=overwrite,
    )
    say(f"{rows:,} rows: {output}")
