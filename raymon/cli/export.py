"""`raymon export`."""

from __future__ import annotations

from pathlib import Path

import click

from raymon.cli.options import custom_classes_option


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--checkpoint", default="latest", show_default=True, help="'latest', 'best', or a step."
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="A directory that is not there yet.",
)
@custom_classes_option
def export(run: Path, checkpoint: str, out: Path) -> None:
    """Write the model of a checkpoint of the run in directory RUN so that it works on its own."""
    from raymon.training.export import export_run

    chosen = export_run(run, out, checkpoint)
    click.echo(f"step {chosen.step}: {out}")
