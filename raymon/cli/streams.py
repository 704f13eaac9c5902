"""The output streams of a command, which may fail or lack characters."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

import click


def prepare_streams() -> None:
    """Makes streams write characters that their encoding lacks as escapes, as in ASCII."""
    for stream in (sys.stdout, sys.stderr):
        # A missing or replaced stream stays as it is.
        if isinstance(stream, io.TextIOWrapper):
            with suppress(Exception):
                stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Prints a line of the output of a command.

    A failure is ignored and changes no exit code: the reader of a pipe may be gone, as in `raymon
    train CONFIG | head`, or the disk of the output file may be full.
    """
    try:
        click.echo(text)
    except OSError:
        # Else the flush at the end of the process would fail.
        with suppress(Exception):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
