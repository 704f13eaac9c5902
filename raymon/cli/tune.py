"""`raymon tune`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raymon.cli.cells import Column, aligned, plain, shortened
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
from raymon.cli.value_rows import output_width, row_lines

if TYPE_CHECKING:
    from raymon.tuning import SweepResult

_LABELS = 16
_LEAST_STATUS = 12


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@click.argument("config", type=click.Path(path_type=Path))
@set_option
@num_workers_option
@custom_classes_option
@log_options
@click.option("--resume", is_flag=True, help="Go on with the sweep in model_dir.")
@address_option
@json_option
def tune(
    space: Path,
    config: Path,
    overrides: tuple[str, ...],
    num_workers: int | None,
    resume: bool,
    address: str | None,
    as_json: bool,
) -> None:
    """Train CONFIG again and again with other values of some fields, as SPACE says.

    Each trial is a run in model_dir/trials; they go on side by side, as many as fit on the cluster.
    Without --num-workers, and without workers in CONFIG, each trains in a process of its own.
    """
    from raymon.storage import to_json
    from raymon.tuning import as_json as values_of
    from raymon.tuning import tune as run

    given = with_num_workers(overrides, num_workers)
    result = run(space, config, given, resume=resume, address=address)
    if as_json:
        say(to_json(values_of(result)))
    else:
        for line in result_lines(result, output_width()):
            say(line)
    if result.status == "failed":
        # The table says why.
        sys.exit(1)


def result_lines(result: SweepResult, width: int | None) -> list[str]:
    """Returns what a sweep prints at its end: a table, the best trial first, and where all is.

    Args:
        result: The sweep.
        width: Columns of the terminal; None for no limit.
    """
    from raymon.tuning import PLOT_FILE, table_rows

    heading, rows = table_rows(result)
    texts = [[plain(text) for text in column] for column in zip(*rows, strict=True)]
    status = len(heading) - 1
    found = [
        Column(plain(title), texts[index], left=index in (0, status))
        for index, title in enumerate(heading)
    ]
    if width is not None:
        others = sum(column.width + 2 for column in found[:-1])
        space = max(_LEAST_STATUS, width - others)
        found[-1] = Column(heading[-1], [shortened(t, space) for t in texts[status]], left=True)
    lines = ["", f"{result.status}: {shlex.quote(result.directory)}", *aligned(found), ""]
    best = result.best
    shown = [
        ("best trial", f"{shlex.quote(best.directory)}" if best else "none: no trial has a value"),
        ("plot", shlex.quote(f"{result.directory}/{PLOT_FILE}")),
        ("all numbers", shlex.quote(f"{result.directory}/sweep.json")),
        ("see its runs", f"raymon board {shlex.quote(result.directory)}"),
    ]
    return lines + [line for label, text in shown for line in row_lines(label, text, _LABELS, None)]
