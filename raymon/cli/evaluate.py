"""`raymon evaluate`."""

from __future__ import annotations

import click

from raymon.cli.options import (
    address_option,
    custom_classes_option,
    json_option,
    log_options,
    num_workers_option,
    set_option,
    with_num_workers,
)
from raymon.cli.streams import say
from raymon.cli.value_rows import columns, value_notes
from raymon.number_text import number_text


@click.command()
@click.argument("run")
@click.option(
    "--checkpoint",
    default="latest",
    show_default=True,
    help="'latest', 'best', or a step.",
)
@set_option
@num_workers_option
@custom_classes_option
@log_options
@address_option
@json_option
def evaluate(
    run: str,
    checkpoint: str,
    overrides: tuple[str, ...],
    num_workers: int | None,
    address: str | None,
    as_json: bool,
) -> None:
    """Score a checkpoint of the run in directory RUN on its evaluation data.

    Other data: --set eval_input_path=PATH.
    """
    from raymon.storage import storage_path, to_json
    from raymon.training.evaluate_run import evaluation_of_run

    evaluation = evaluation_of_run(
        storage_path(run), checkpoint, with_num_workers(overrides, num_workers), address=address
    )
    if as_json:
        say(to_json({"global_step": evaluation.step, **evaluation.metrics}))
    else:
        say(f"step {evaluation.step}")
        notes = value_notes(evaluation.metric_bounds, evaluation.metric_details)
        values = [(name, number_text(value)) for name, value in evaluation.metrics.items()]
        for line, (name, _) in zip(columns(values), values, strict=True):
            say(f"  {line}{notes.get(name, '')}")
