"""The streams of a command, which may take less than it says."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

import click


def prepare_streams() -> None:
    """Has characters that an encoding lacks written as escapes, as in a locale of ASCII."""
    for stream in (sys.stdout, sys.stderr):
        # Where there is none, or one of somebody's own, it stays as it is.
        if isinstance(stream, io.TextIOWrapper):
            with suppress(Exception):
                stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Prints a line of what a command is asked for.

    What nobody takes is lost and changes no exit code: the reader of a pipe has gone, as in
    `raymon train CONFIG | head`, or the file that it goes to has no room.
    """
    try:
        click.echo(text)
    except OSError:
        # The end of the process would fail to flush it.
        with suppress(Exception):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
