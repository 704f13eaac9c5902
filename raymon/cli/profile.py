"""`raymon profile`."""

from __future__ import annotations

import click

from raymon.cli.asking import ask_run, rank_list, run_address_option, run_argument
from raymon.cli.options import json_option
from raymon.cli.streams import say


@click.command()
@run_argument
@click.option(
    "--steps", type=click.IntRange(1, 1000), default=20, show_default=True, help="Steps to trace."
)
@click.option(
    "--ranks",
    callback=rank_list,
    metavar="RANKS",
    help="Ranks, such as 0,3; else the first 8.",
)
@click.option("--shapes", is_flag=True, help="With the shapes of what operations take.")
@click.option("--stacks", is_flag=True, help="With the Python stacks of operations; slows steps.")
@click.option("--memory", is_flag=True, help="With allocations.")
@run_address_option
@json_option
def profile(
    run: str,
    steps: int,
    ranks: list[int],
    shapes: bool,
    stacks: bool,
    memory: bool,
    address: str | None,
    as_json: bool,
) -> None:
    """Trace steps of the run in directory RUN, while it goes on, by torch.profiler.

    One file has the traces of all ranks: https://ui.perfetto.dev and chrome://tracing open it. Its
    path goes to the standard output.
    """
    from raymon.storage import to_json
    from raymon.wire import PROFILE

    def accepted() -> None:
        click.echo(f"Asked; {steps} steps are traced and merged", err=True)

    options = {
        "steps": steps,
        "ranks": ranks,
        "shapes": shapes,
        "stacks": stacks,
        "memory": memory,
    }
    answer = ask_run(run, address, PROFILE, options, accepted)
    for failure in answer.result["failures"]:
        click.echo(f"not traced: {failure}", err=True)
    if as_json:
        say(to_json(answer.result))
        return
    click.echo(f"{answer.text}; open it in https://ui.perfetto.dev", err=True)
    say(str(answer.result["path"]))
