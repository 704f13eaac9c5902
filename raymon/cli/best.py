"""`raymon best`."""

from __future__ import annotations

import click

from raymon.cli.options import json_option


@click.command()
@click.argument("run")
@click.option("--metric", help="Rank by this metric instead of best_exporter_metric.")
@json_option
def best(run: str, metric: str | None, as_json: bool) -> None:
    """Print the best checkpoint of the run in directory RUN."""
    from raymon.config import read_saved
    from raymon.storage import to_json
    from raymon.training.retention import best_checkpoint

    export = read_saved(run).export_config
    if metric:
        export.best_exporter_metric = metric
    checkpoint = best_checkpoint(run, export)
    if as_json:
        click.echo(
            to_json(
                {
                    "path": str(checkpoint.path),
                    "step": checkpoint.step,
                    "metrics": dict(checkpoint.metrics),
                }
            )
        )
    else:
        click.echo(str(checkpoint.path))
