"""`raymon predict`."""

from __future__ import annotations

import click

from raymon.cli.streams import say


@click.command()
@click.argument("model")
@click.argument("input_path", metavar="INPUT")
@click.argument("output")
@click.option(
    "--keep", multiple=True, metavar="COLUMN", help="Copy a column of INPUT. May be repeated."
)
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT where it is there already.")
def predict(
    model: str, input_path: str, output: str, keep: tuple[str, ...], overwrite: bool
) -> None:
    """Score INPUT with the model that raymon export wrote into MODEL.

    INPUT is files, a directory or a glob, of Parquet, CSV or Arrow IPC. OUTPUT is a file with a row
    for each row of INPUT: CSV where it ends in .csv, .tsv or .csv.gz, Arrow IPC where in .arrow or
    .feather, else Parquet. Needs no Ray.
    """
    from raymon.serving import predict as run
    from raymon.storage import storage_path

    rows = run(
        storage_path(model), input_path, storage_path(output), keep=keep, overwrite=overwrite
    )
    say(f"{rows:,} rows: {output}")
