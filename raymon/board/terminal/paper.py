"""What a frame is drawn on: its size, and the characters that the terminal has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from raymon.board.terminal.harmless import harmless

_LOCALE_NAMES = ("LC_ALL", "LC_CTYPE", "LANG")


@dataclass(frozen=True)
class Paper:
    """The place that lines are drawn on.

    Attributes:
        width: Columns.
        height: Rows; None for as many as there is something to show in.
        has_unicode: Whether the terminal shows more than ASCII.
    """

    width: int
    height: int | None = None
    has_unicode: bool = True

    def narrowed(self, width: int) -> Paper:
        """Returns paper for any number of rows of `width` columns."""
        return Paper(width, None, self.has_unicode)

    def text(self, content: object, style: str = "") -> Text:
        """Returns a text of a run, made harmless."""
        return Text(harmless(content, has_unicode=self.has_unicode), style, no_wrap=True)

    def pick(self, character: str, plain: str) -> str:
        """Returns a character, or what stands for it in ASCII."""
        return character if self.has_unicode else plain

    def fitted(self, line: Text, width: int | None = None) -> Text:
        """Returns a line of exactly `width` columns, by default those of the paper.

        One that is too long ends in an ellipsis.
        """
        width = self.width if width is None else width
        line = line.copy()
        line.no_wrap = True
        length = line.cell_len
        if length > width:
            mark = self.pick("…", "..")[: max(width, 0)]
            line.truncate(max(width - len(mark), 0), overflow="crop")
            line.append(mark)
            length = line.cell_len
        line.append(" " * (width - length))
        return line

    def beside(self, blocks: Sequence[Sequence[Text]], widths: Sequence[int]) -> list[Text]:
        """Returns blocks of lines side by side, with two columns between them."""
        rows = max(map(len, blocks), default=0)
        lines = []
        for row in range(rows):
            line = Text(no_wrap=True)
            for place, (block, width) in enumerate(zip(blocks, widths, strict=True)):
                if place:
                    line.append("  ")
                line.append_text(self.fitted(block[row] if row < len(block) else Text(), width))
            lines.append(line)
        return lines


def locale_has_unicode(encoding: str | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Returns whether what is written in an encoding is shown with more than ASCII.

    Args:
        encoding: Encoding of the output stream.
        environment: Variables that say what the locale is. Python writes UTF-8 in the locale C too,
            in which a terminal need not show it.
    """
    try:
        "…⣿★".encode(encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    given = {name: environment.get(name) or "" for name in _LOCALE_NAMES}
    if given["LC_CTYPE"] == "C.UTF-8" and not given["LC_ALL"]:
        # Python sets it by itself where the locale is C.
        given["LC_CTYPE"] = ""
    named = next((given[name] for name in _LOCALE_NAMES if given[name]), None)
    return named not in ("C", "POSIX")
