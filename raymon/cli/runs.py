"""`raymon runs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from raymon.cli.options import json_option
from raymon.cli.run_table import shown_name, sorted_runs, table_lines
from raymon.cli.streams import readable, say
from raymon.cli.value_rows import output_width

if TYPE_CHECKING:
    from raymon.runs import Overview
    from raymon.storage import StoragePath


@click.command()
@click.argument("directories", nargs=-1, metavar="[DIR]...")
@json_option
@click.option(
    "--sort",
    "field",
    metavar="FIELD",
    help="Sort by name, status, step, samples/s, start, age, best, or a metric such as auc: "
    "numbers from the largest, texts from A. With - in front of it, the other way round. By "
    "default the newest run comes first.",
)
@click.option(
    "--filter",
    "text",
    default="",
    metavar="TEXT",
    help="Only runs with each of these words in what is shown of their path, or in their status.",
)
def runs(directories: tuple[str, ...], as_json: bool, field: str | None, text: str) -> None:
    """List the runs in directories DIR, by default the working directory, and in those below.

    They may go on or be over, and a DIR may be a path or a URI: files are all that is read.
    """
    import time

    from raymon.runs import find_runs
    from raymon.storage import to_json

    roots = directories or (".",)
    _check(roots)
    found = find_runs(roots)
    overviews, notes = _overviews(found.paths)
    words = text.casefold().split()
    chosen = [o for o in overviews if all(word in _text_of(o, roots) for word in words)]
    chosen = sorted_runs(chosen, field)
    notes = [*found.notes, *notes]
    if as_json:
        say(to_json({"runs": [each.to_json() for each in chosen], "notes": notes}))
        return
    if not chosen:
        where = " or ".join(roots)
        say(f"no runs in {where}" + (f" with {text!r}" if words and overviews else ""))
    for line in table_lines(chosen, roots, output_width(), time.time()):
        say(line)
    for note in notes:
        click.echo(readable(f"raymon: {note}"), err=True)


def _check(roots: Sequence[str]) -> None:
    """Checks that each root is there.

    Raises:
        UserError: One is missing.
    """
    from pathlib import Path

    from raymon.errors import UserError
    from raymon.storage import absolute, storage_path

    for root in roots:
        path = absolute(storage_path(root))
        try:
            is_there = not isinstance(path, Path) or path.is_dir()
        except ValueError:
            is_there = False
        if not is_there:
            raise UserError(f"{root}: no such directory; give directories with runs in them")


def _overviews(paths: Sequence[StoragePath]) -> tuple[list[Overview], list[str]]:
    """Returns the runs, and which of them cannot be read."""
    from raymon.errors import RunError
    from raymon.runs import Run, overview_of

    found, failed, damaged = [], list[str](), list[str]()
    for path in paths:
        try:
            overview = overview_of(Run(path))
        except RunError as error:
            # It was deleted in between, or is not readable.
            failed.append(str(error))
            continue
        found.append(overview)
        damaged += [f"{overview.path}: {note}" for note in overview.notes]
    notes = [_counted(failed, "cannot be read")] if failed else []
    return found, notes + ([_counted(damaged, "can be read in part only")] if damaged else [])


def _counted(lines: Sequence[str], what: str) -> str:
    count = "1 run" if len(lines) == 1 else f"{len(lines):,} runs"
    return f"{count} {what}: {lines[0]}" + (", ..." if len(lines) > 1 else "")


def _text_of(overview: Overview, roots: Sequence[str]) -> str:
    return f"{shown_name(overview.path, roots)} {overview.status}".casefold()
