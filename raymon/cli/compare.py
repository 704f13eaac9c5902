"""`raymon compare`."""

from __future__ import annotations

import click

from raymon.cli.comparison_text import comparison_lines
from raymon.cli.options import json_option
from raymon.cli.streams import readable, say
from raymon.cli.value_rows import output_width


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="A B [C]...")
@json_option
@click.option(
    "--all", "everything", is_flag=True, help="All fields and scores, also those that are the same."
)
def compare(runs: tuple[str, ...], as_json: bool, everything: bool) -> None:
    """Print in what run B, and others, differ from run A: their configs and their scores.

    A run is the path or URI of its directory; it may go on or be over. A difference has its
    uncertainty where that is known: two standard errors for other rows from the same source, plus
    the bounds of both numbers. What another seed would give is not in it.
    """
    from raymon.errors import UserError
    from raymon.runs import Run, compare_runs
    from raymon.storage import to_json

    if len(runs) < 2:
        raise UserError(f"{runs[0]}: give two or more runs to compare")
    found = compare_runs([Run(run) for run in runs], everything=everything)
    if as_json:
        say(to_json(found.to_json()))
        return
    for line in comparison_lines(found, runs, output_width(), everything):
        say(line)
    for note in found.notes:
        click.echo(readable(f"raymon: {note}"), err=True)
