"""Cells of tables: text of any characters, aligned as a terminal shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading.
        texts: Text of each line.
        left: Whether its texts begin at the same place, as words do; else they end there.
    """

    title: str
    texts: Sequence[str]
    left: bool = False

    @property
    def width(self) -> int:
        """Columns of a terminal that it takes."""
        return max(map(cell_len, [self.title, *self.texts]))


def aligned(columns: Sequence[Column]) -> list[str]:
    """Returns the lines of a table, the heading first."""
    widths = [column.width for column in columns]
    rows = zip(*([column.title, *column.texts] for column in columns), strict=True)
    lines = []
    for row in rows:
        cells = []
        for text, column, width in zip(row, columns, widths, strict=True):
            space = " " * (width - cell_len(text))
            cells.append(text + space if column.left else space + text)
        lines.append("  ".join(cells).rstrip())
    return lines


def plain(text: str) -> str:
    """Returns text with what does not print, such as a newline or a colour, as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, width: int) -> str:
    """Returns text that takes at most `width` columns: of a longer one the begin and the end."""
    if cell_len(text) <= width:
        return text
    begin, end = text, ""
    while begin and cell_len(begin) > width // 2:
        begin = begin[:-1]
    for character in reversed(text):
        if cell_len(begin + "…" + character + end) > width:
            break
        end = character + end
    return f"{begin}…{end}"
