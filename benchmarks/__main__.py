"""The command `python -m benchmarks`: lists the benchmarks, or runs the one that is named."""

from __future__ import annotations

import json

import click

from benchmarks.harness.questions import load, missing, names, question

QUICK_ROUNDS = 1


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", required=False, type=click.Choice(names()), metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quick", is_flag=True, help="With inputs so small that it is over in a minute.")
@click.option("--rounds", type=click.IntRange(min=1), help="In each, all contenders take a turn.")
def main(name: str | None, as_json: bool, quick: bool, rounds: int | None) -> None:
    """Runs the benchmark NAME, or lists all of them."""
    if name is None:
        found = {name: question(name) for name in names()}
        lines = [f"{name:<15} {asked}" for name, asked in found.items()]
        click.echo(json.dumps(found, indent=1) if as_json else "\n".join(lines))
        return
    benchmark = load(name)
    why = missing(benchmark)
    if why is not None:
        click.echo(why)
        return
    result = benchmark.run(rounds or (QUICK_ROUNDS if quick else benchmark.ROUNDS), quick)
    click.echo(result.to_json() if as_json else result.table())


if __name__ == "__main__":
    main()
