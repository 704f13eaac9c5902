"""`raymon board`."""

from __future__ import annotations

import os
import sys

import click

from raymon.cli.signals import Signals
from raymon.cli.streams import say


@click.command()
@click.argument("roots", nargs=-1, metavar="[DIR]...")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; by default one from 6007 on.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="HOST",
    help="Name or address to listen on. Beyond this machine a token is needed to read.",
)
@click.pass_obj
def board(signals: Signals, roots: tuple[str, ...], port: int | None, host: str) -> None:
    """Show the runs in the directories DIR, or under them, on a web page, until Ctrl-C.

    Runs may go on or be over, and DIR may be a path or a URI; by default it is the working
    directory. Nothing is written there.
    """
    from raymon.board.web import serve

    try:
        serve(roots or (".",), host, port, say)
    except KeyboardInterrupt:
        # At once, whatever a thread is reading.
        sys.stdout.flush()
        os._exit(signals.exit_code)
