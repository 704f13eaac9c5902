"""`raymon export`."""

from __future__ import annotations

import click

from raymon.cli.options import custom_classes_option, set_option
from raymon.cli.streams import say


@click.command()
@click.argument("run")
@click.option(
    "--checkpoint", default="latest", show_default=True, help="'latest', 'best', or a step."
)
@click.option(
    "--out",
    required=True,
    help="A directory that is not there yet.",
)
@set_option
@custom_classes_option
def export(run: str, checkpoint: str, out: str, overrides: tuple[str, ...]) -> None:
    """Write the model of a checkpoint of the run in directory RUN so that it works on its own.

    With tables of a quarter of their size: --set export_config.quantize_tables=INT8.
    """
    from raymon.storage import storage_path
    from raymon.training.export import export_run

    chosen = export_run(storage_path(run), storage_path(out), checkpoint, overrides)
    say(f"step {chosen.step}: {out}")
