"""The output streams of a command, which may fail or lack characters."""

from __future__ import annotations

import io
import os
import sys
import unicodedata
from contextlib import suppress

import click

_DOING = ("Cc", "Cf")
"""Categories of characters that move the cursor, set the title, or turn the direction of text."""


def prepare_streams() -> None:
    """Makes streams write characters that their encoding lacks as escapes, as in ASCII."""
    for stream in (sys.stdout, sys.stderr):
        # A missing or replaced stream stays as it is.
        if isinstance(stream, io.TextIOWrapper):
            with suppress(Exception):
                stream.reconfigure(errors="backslashreplace")


def readable(text: str) -> str:
    r"""Returns a text with escapes such as `\x1b` for what would do something to a terminal.

    Names and errors of a run may have such characters. Line breaks and tabs stay, and others that
    are not printable but do nothing, such as spaces that do not break.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _DOING and character not in "\n\t"
        else character
        for character in text
    )


def say(text: str, *, nl: bool = True, err: bool = False) -> None:
    """Prints a line of the output of a command, which does nothing to a terminal but be read.

    A failure is ignored and changes no exit code: the reader of a pipe may be gone, as in `raymon
    train CONFIG | head`, or the disk of the output file may be full.

    Args:
        text: Text of the line.
        nl: Whether a line break follows it; not after a piece of a longer text.
        err: Whether it goes to stderr.
    """
    try:
        click.echo(readable(text), nl=nl, err=err)
    except OSError:
        # Else the flush at the end of the process would fail.
        with suppress(Exception):
            stream = sys.stderr if err else sys.stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
