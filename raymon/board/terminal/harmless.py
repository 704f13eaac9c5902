"""Text of runs, which can say anything, made harmless for a terminal."""

from __future__ import annotations

_LONGEST = 4000


def harmless(text: object, *, has_unicode: bool = True) -> str:
    r"""Returns a text in one line that does nothing but be read.

    A run's names, logs and alerts could else move the cursor, set the title of the window, or turn
    the direction of what follows. What cannot be printed becomes its escape, such as `\x1b`, and
    white space becomes spaces.

    Args:
        text: The text.
        has_unicode: Whether the terminal shows more than ASCII; if not, the rest becomes escapes.
    """
    found = str(text)[:_LONGEST]
    if not (found.isprintable() and found.isascii()):
        found = "".join(map(_harmless_character, found))
    return found if has_unicode else found.encode("ascii", "backslashreplace").decode()


def _harmless_character(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()
