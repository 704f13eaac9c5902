"""`raymon checkpoint`."""

from __future__ import annotations

import sys

import click

from raymon.cli.streams import say


@click.group()
def checkpoint() -> None:
    """Look into checkpoints."""


@checkpoint.command()
@click.argument("path")
def verify(path: str) -> None:
    """Compare the files of the checkpoint in PATH with what was written.

    PATH may also be the directory of a run: then all of its checkpoints are read. Exits with 1
    where one is damaged or not complete.
    """
    from raymon.storage import storage_path
    from raymon.training.checkpoint.verify import verify_checkpoints

    sound = True
    for verdict in verify_checkpoints(storage_path(path)):
        say(str(verdict))
        sound = sound and verdict.problem is None
    sys.exit(0 if sound else 1)
