"""The command `python -m benchmarks.harness.check`: compares ratios with the stored results.

Unlike times, ratios within one run do not need a quiet machine, and the band is wide: half as good
still counts as the same. What looks worse in one round is measured in several before it is
reported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from benchmarks.harness import store
from benchmarks.harness.questions import names
from benchmarks.harness.result import Ratio, Result, number
from benchmarks.harness.subprocesses import NotMeasuredError, measure

BAND = 2.0
ROUNDS = 3


def bound(stored: Ratio, band: float = BAND) -> float:
    """Returns the worst figure that counts as the same as the stored one."""
    if stored.at_least:
        return stored.figure / band - stored.slack
    return max(stored.figure, 0.0) * band + stored.slack


def worse(stored: Result, now: Result, band: float = BAND) -> Iterator[str]:
    """Yields a line for each ratio that became worse, or is no longer measured."""
    by_name = {ratio.name: ratio for ratio in now.ratios}
    for before in stored.ratios:
        ratio, limit = by_name.get(before.name), bound(before, band)
        if ratio is None:
            yield f"{stored.name}: {before.name}: not measured any more"
        elif (ratio.figure < limit) if before.at_least else (ratio.figure > limit):
            yield (
                f"{stored.name}: {before.name}: {number(ratio.figure)}, was "
                f"{number(before.figure)}, worse than {number(limit)}"
            )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("chosen", nargs=-1, type=click.Choice(names()), metavar="[NAME]...")
@click.option("--band", type=click.FloatRange(min=1), default=BAND, show_default=True)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=ROUNDS,
    show_default=True,
    help="In which what looks worse is measured again.",
)
def main(chosen: tuple[str, ...], band: float, rounds: int) -> None:
    """Runs the quick forms and compares their ratios with those of `results/quick`."""
    results, lines = store.read(quick=True), []
    for name in chosen or names():
        try:
            now = measure(name, True)
        except NotMeasuredError as why:
            click.echo(f"{name}: left out: {why}")
            continue
        if name not in results:
            lines.append(f"{name}: has no stored result: make bench writes it")
            continue
        found = list(worse(results[name], now, band))
        if found:
            found = list(worse(results[name], measure(name, True, rounds), band))
        click.echo(f"{name}: {len(results[name].ratios)} ratios, {len(found)} worse")
        lines += found
    for line in lines:
        click.echo(line, err=True)
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
