"""`raymon stack`."""

from __future__ import annotations

import click

from raymon.cli.asking import ask_run, rank_list, run_address_option, run_argument
from raymon.cli.options import json_option
from raymon.cli.streams import say


@click.command()
@run_argument
@click.option(
    "--rank", "ranks", callback=rank_list, metavar="RANK", help="Ranks, such as 3 or 0,3; else all."
)
@run_address_option
@json_option
def stack(run: str, ranks: list[int], address: str | None, as_json: bool) -> None:
    """Print where the workers of the run in directory RUN are at this moment.

    These are the Python stacks of their threads, taken from outside: training does not stop.
    """
    from raymon.storage import to_json
    from raymon.training.on_demand.request import STACK

    answer = ask_run(run, address, STACK, {"ranks": ranks})
    if as_json:
        say(to_json(answer.result))
        return
    for number, (rank, text) in enumerate(answer.result.items()):
        say(("\n" if number else "") + f"rank {rank}\n{text}")
