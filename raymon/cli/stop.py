"""`raymon stop`."""

from __future__ import annotations

import click

from raymon.cli.asking import ask_run, run_address_option, run_argument
from raymon.cli.streams import say


@click.command()
@run_argument
@run_address_option
def stop(run: str, address: str | None) -> None:
    """Stop the run in directory RUN: it saves a checkpoint, and ends well.

    Waits until it has ended. `raymon train --resume` goes on from there.
    """
    from raymon.wire import STOP

    def accepted() -> None:
        click.echo("Asked; the run saves, and ends (Ctrl-C: do not wait for it)", err=True)

    say(ask_run(run, address, STOP, accepted=accepted).text)
