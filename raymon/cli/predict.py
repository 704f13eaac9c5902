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
def predict(model: str, input_path: str, output: str, keep: tuple[str, ...]) -> None:
    """Score the Parquet INPUT with the model that raymon export wrote into MODEL.

    OUTPUT is a Parquet file with a row for each row of INPUT. Needs no Ray.
    """
    from raymon.serving import predict as run
    from raymon.storage import storage_path

    rows = run(storage_path(model), input_path, storage_path(output), keep=keep)
    say(f"{rows:,} rows: {output}")
