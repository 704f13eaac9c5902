"""The versions of raymon and of the packages that it depends on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import click

from raymon.cli.streams import say
from raymon.version import __version__

STANDS_ON = ("torch", "ray", "torchmetrics", "protobuf", "pyarrow")


def versions() -> str:
    """Returns the versions of raymon, of Python and of each package in `STANDS_ON`, one per line.

    They are read from the installed metadata; no package is imported.
    """
    lines = [f"raymon, version {__version__}", f"python {platform.python_version()}"]
    return "\n".join(lines + [f"{name} {_version(name)}" for name in STANDS_ON])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "is not installed"


def _say_versions(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        say(versions())
        context.exit()


versions_option = click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_versions,
    help="Show the versions of raymon and of what it stands on, and exit.",
)
