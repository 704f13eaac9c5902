"""Lines that are kept as bytes, and parsed when they are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from raymon.runs.reading.line_numbers import parsed_line
from raymon.runs.reading.piece import Piece


@dataclass(frozen=True)
class Record:
    """A line that holds an object.

    Attributes:
        line: Its bytes.
        brief: What of the object is kept parsed.
    """

    line: bytes
    brief: Mapping[str, Any]


class Records(Sequence[Mapping[str, Any]]):
    """The objects of lines, each parsed whenever it is asked for; it does not change.

    The line of an evaluation with its curves takes 20 kB as bytes, and many times that as objects.

    Args:
        records: Lines that hold an object.
    """

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self._records = tuple(records)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Records: ...
    def __getitem__(self, place: int | slice) -> Mapping[str, Any] | Records:
        if isinstance(place, slice):
            return Records(self._records[place])
        found: Mapping[str, Any] = json.loads(self._records[place].line.decode(errors="replace"))
        return found

    @property
    def briefs(self) -> list[Mapping[str, Any]]:
        """What of each object is kept parsed."""
        return [record.brief for record in self._records]

    def taken(self, places: Sequence[int]) -> Records:
        """Returns some of the objects, in the order of `places`."""
        return Records([self._records[place] for place in places])


class RecordBuilder:
    """The lines so far that hold an object.

    Args:
        brief: Function that returns what of an object is kept parsed.
    """

    def __init__(self, brief: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
        self._brief = brief
        # None for a line that holds none.
        self._records: list[Record | None] = []

    def take(self, piece: Piece) -> None:
        """Takes back the lines that are gone, and adds those that follow."""
        del self._records[piece.kept :]
        self._records += [self._record(line) for line in piece.data.split(b"\n")[:-1]]

    def value(self) -> Records:
        """Returns the objects of the lines."""
        return Records([record for record in self._records if record is not None])

    def _record(self, line: bytes) -> Record | None:
        found = parsed_line(line)
        return None if found is None else Record(line, self._brief(found))
