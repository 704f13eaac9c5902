"""`raymon best`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from raymon.cli.options import json_option
from raymon.cli.streams import say
from raymon.errors import UserError

if TYPE_CHECKING:
    from raymon.training.checkpoint.best import Ranked

_SHOWN = 10


@click.command()
@click.argument("run")
@click.option("--metric", help="Rank by this metric instead of best_exporter_metric.")
@click.option(
    "--larger-is-better/--smaller-is-better",
    "larger",
    default=None,
    help="Instead of the direction of the metric; for one of which it is not known.",
)
@json_option
def best(run: str, metric: str | None, larger: bool | None, as_json: bool) -> None:
    """Print the best checkpoint of the run in directory RUN.

    Its path goes to the standard output; its scores, and the ranking, to the standard error.
    """
    from raymon.config import ranking, read_saved
    from raymon.protos.export_pb2 import ExportConfig
    from raymon.storage import storage_path, to_json
    from raymon.training.checkpoint.best import check_metric, rank_checkpoints, with_direction

    directory = storage_path(run)
    config = read_saved(run)
    export = ranking(config)
    if metric or larger is not None:
        export = ExportConfig(best_exporter_metric=metric or export.best_exporter_metric)
        if larger is not None:
            export.metric_larger_is_better = larger
        check_metric(directory, export.best_exporter_metric)
        export = with_direction(directory, export)
        if not export.HasField("metric_larger_is_better"):
            raise UserError(
                f"{metric}: nobody knows in which direction it is better; give --larger-is-better "
                "or --smaller-is-better"
            )
    ranked = rank_checkpoints(directory, export)
    if as_json:
        answer = {
            "path": str(ranked.best.path),
            "step": ranked.best.step,
            "metrics": dict(ranked.best.metrics),
            "ranked_by": export.best_exporter_metric,
            "larger_is_better": export.metric_larger_is_better,
            "checkpoints": [
                {"step": step, "value": value} for step, value in ranked.values.items()
            ],
        }
        say(to_json(answer))
    else:
        say(str(ranked.best.path))
        for line in _lines(ranked):
            click.echo(line, err=True)


def _lines(ranked: Ranked) -> list[str]:
    """Returns the lines with the scores of the best checkpoint, and the ranking."""
    width = max(map(len, ranked.best.metrics))
    lines = [f"  {name:<{width}}  {_number(ranked.best.metrics[name])}" for name in _names(ranked)]
    name, larger = ranked.export.best_exporter_metric, ranked.export.metric_larger_is_better
    lines.append(f"by {name}, the {'larger' if larger else 'smaller'} the better:")
    order = sorted(
        ranked.values.items(),
        key=lambda item: (
            math.isnan(item[1]),
            -item[1] if larger else item[1],
            -item[0],
        ),
    )
    digits = max(len(str(step)) for step in ranked.values)
    lines += [f"  step {step:>{digits}}  {_number(value)}" for step, value in order[:_SHOWN]]
    if len(order) > _SHOWN:
        lines.append(f"  and {len(order) - _SHOWN} more")
    return lines


def _names(ranked: Ranked) -> list[str]:
    # The metric that ranks comes first.
    first = ranked.export.best_exporter_metric
    return sorted(ranked.best.metrics, key=lambda name: name != first)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.6g}"
