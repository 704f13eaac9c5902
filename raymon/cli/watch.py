"""`raymon watch`."""

from __future__ import annotations

import os
import sys

import click

from raymon.cli.asking import run_argument
from raymon.cli.options import json_option
from raymon.cli.streams import say


@click.command()
@run_argument
@click.option("--once", is_flag=True, help="Print one frame, and end.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    help="Seconds between two looks at the run, at least.",
)
@json_option
def watch(run: str, once: bool, interval: float, as_json: bool) -> None:
    """Show the run in directory RUN on this terminal: curves, ranks, alerts, checkpoints.

    The run may go on or be over, and RUN may be a path or a URI: its files are all that is read.
    Where standard output is no terminal, one frame is printed. ? explains the keys.
    """
    from raymon.board.terminal import frame_json, frame_text, watch_run
    from raymon.errors import UserError
    from raymon.runs import Run
    from raymon.storage import to_json

    found = Run(run, quick=not (once or as_json) and sys.stdout.isatty())
    if as_json:
        say(to_json(frame_json(found)))
    elif once or not sys.stdout.isatty():
        for line in frame_text(found):
            say(line)
    elif os.environ.get("TERM") in (None, "", "dumb", "unknown"):
        raise UserError("this terminal (TERM) cannot be drawn on: give --once")
    else:
        watch_run(found, interval)
