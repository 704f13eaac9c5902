"""`raymon predict`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("input_path", metavar="INPUT")
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--keep", multiple=True, metavar="COLUMN", help="Copy a column of INPUT. May be repeated."
)
def predict(model: Path, input_path: str, output: Path, keep: tuple[str, ...]) -> None:
    """Score the Parquet INPUT with the model that raymon export wrote into MODEL.

    OUTPUT is a Parquet file with a row for each row of INPUT. Needs no Ray.
    """
    from raymon.serving import predict as run

    rows = run(model, input_path, output, keep=keep)
    click.echo(f"{rows:,} rows: {output}")
