"""`raymon checkpoint`."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group()
def checkpoint() -> None:
    """Look into checkpoints."""


@checkpoint.command()
@click.argument("path", type=click.Path(path_type=Path))
def verify(path: Path) -> None:
    """Read all files of the checkpoint in PATH, or of all checkpoints of the run in PATH, and
    compare them with what was written. Exits with 1 where one is damaged or not complete."""
    from raymon.training.verify import verify_checkpoints

    sound = True
    for verdict in verify_checkpoints(path):
        click.echo(str(verdict))
        sound = sound and verdict.damage is None
    sys.exit(0 if sound else 1)
