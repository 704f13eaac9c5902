"""A text without some of its parts, whose other parts stay in their lines."""

from __future__ import annotations

from dataclasses import dataclass, field

Position = tuple[int, int]
"""Line and column of a character, both from 0."""


@dataclass
class EditedText:
    """Parts of a text that are left out, or replaced within their line.

    Attributes:
        lines: Lines of the text.
    """

    lines: list[str]
    _parts: list[tuple[Position, Position, str]] = field(default_factory=list)

    def leave_out(self, start: Position, end: Position) -> None:
        """Leaves out what is from `start` on and before `end`."""
        self._parts.append((start, end, ""))

    def replace(self, start: Position, old: str, new: str) -> None:
        """Replaces a text in one line."""
        line, column = start
        self._parts.append((start, (line, column + len(old)), new))

    def __str__(self) -> str:
        """Returns the text with as many lines as before."""
        lines = list(self.lines)
        for (first, begin), (last, end), new in sorted(self._parts, reverse=True):
            if first == last:
                lines[first] = f"{lines[first][:begin]}{new}{lines[first][end:]}"
                continue
            lines[first] = lines[first][:begin] + new
            lines[first + 1 : last] = [""] * (last - first - 1)
            if last < len(lines):
                lines[last] = lines[last][end:]
        return "\n".join(lines)
