"""The command `python -m benchmarks.harness.everything`: runs benchmarks; writes results and plots.

A benchmark that fails is reported, and the others still run.
"""

from __future__ import annotations

import subprocess
import sys
import time

import click

from benchmarks.harness import headlines, report, store
from benchmarks.harness.questions import names
from benchmarks.harness.subprocesses import NotMeasuredError, measure


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("chosen", nargs=-1, type=click.Choice(names()), metavar="[NAME]...")
@click.option("--quick", is_flag=True, help="The quick forms, which `bench-check` compares with.")
@click.option("--rounds", type=click.IntRange(min=1), help="Of each, in place of its own number.")
def main(chosen: tuple[str, ...], quick: bool, rounds: int | None) -> None:
    """Runs all benchmarks, or those that are named."""
    failed = []
    for name in chosen or names():
        began = time.monotonic()
        try:
            path = store.write(measure(name, quick, rounds), quick)
        except NotMeasuredError as why:
            click.echo(f"{name}: left out: {why}")
            continue
        except subprocess.SubprocessError as error:
            click.echo(f"{name}: {error}", err=True)
            failed.append(name)
            continue
        click.echo(f"{name}: {time.monotonic() - began:.0f} s, {path}")
        if not quick:
            results = store.read(quick=False)
            report.write(results, store.RESULTS)
            headlines.write(results)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
