"""`raymon explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raymon.cli.options import json_option
from raymon.cli.streams import say

if TYPE_CHECKING:
    from raymon.diagnosis import Verdict

_MOST_FINDINGS = 12


@click.command()
@click.argument("run")
@json_option
def explain(run: str, as_json: bool) -> None:
    """Say why the run in directory RUN is slow, or how it ended, and what may help.

    The run may go on or be over, and RUN may be a path or a URI: its files are all that is read.
    """
    from raymon.runs import explain_run
    from raymon.storage import absolute, storage_path, to_json

    verdict = explain_run(absolute(storage_path(run)))
    if as_json:
        say(to_json(verdict.to_json()))
    else:
        for line in _lines(verdict):
            say(line)


def _lines(verdict: Verdict) -> list[str]:
    """Returns the verdict, then its evidence."""
    lines = [verdict.text]
    if verdict.budget:
        lines.append(f"  time of a rank: {verdict.budget}")
    lines += [f"  - {finding.text}" for finding in verdict.findings[:_MOST_FINDINGS]]
    more = len(verdict.findings) - _MOST_FINDINGS
    return [*lines, f"  and {more} more, with --json"] if more > 0 else lines
