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
    """Read all files of the checkpoint in PATH, or of all checkpoints of the run in PATH, and
    compare them with what was written. Exits with 1 where one is damaged or not complete."""
    from raymon.storage import storage_path
    from raymon.training.checkpoint.verify import verify_checkpoints

    sound = True
    for verdict in verify_checkpoints(storage_path(path)):
        say(str(verdict))
        sound = sound and verdict.problem is None
    sys.exit(0 if sound else 1)
