"""`raymon config`."""

from __future__ import annotations

from pathlib import Path

import click

from raymon.cli.options import custom_classes_option, set_option
from raymon.cli.streams import say


@click.group()
def config() -> None:
    """Work with pipeline configs."""


@config.command()
@click.argument("path", metavar="CONFIG", type=click.Path(path_type=Path))
@set_option
@custom_classes_option
def check(path: Path, overrides: tuple[str, ...]) -> None:
    """Check CONFIG without reading its data."""
    from raymon.training.train import check_memory, load_checked

    check_memory(load_checked(path, overrides), path, overrides)
    say(f"{path}: ok")
