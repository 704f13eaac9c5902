"""A file of lines that is followed, and what is made of its lines."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any, Generic, Protocol, TypeVar

import pyarrow as pa

from raymon.errors import first_line, os_reason
from raymon.runs.reading.growing import growing
from raymon.runs.reading.piece import Piece
from raymon.runs.reading.sample import sampled_lines
from raymon.storage import StoragePath

Value = TypeVar("Value", covariant=True)

_NEVER = object()
"""In place of the signature of a file before it was looked at."""


class Builder(Protocol[Value]):
    """Makes something of lines."""

    def take(self, piece: Piece) -> None:
        """Takes back the lines that are gone, and adds those that follow."""

    def value(self) -> Value:
        """Returns what is made of the lines so far; it does not change any more."""


class Followed(Generic[Value]):
    """A file of lines, read when it is first asked for, and from then on where it is new.

    Args:
        path: Path of the file; on object storage of an object or of a directory of parts.
        builder: Makes the value of lines.
        preview: Builder of a value of some lines of a large file, which there is until all of them
            are read in slices; None to read all of them at once.
        preview_lines: Number of lines of the preview.

    Attributes:
        value: What was made of the lines. It is replaced as a whole.
        begun: Whether it was asked for.
        is_whole: Whether all lines are in `value`.
        error: Why it cannot be read, in a line; None if it can.
    """

    def __init__(
        self,
        path: StoragePath,
        builder: Builder[Value],
        preview: Builder[Value] | None = None,
        preview_lines: int = 0,
    ) -> None:
        self.value: Value = builder.value()
        self.begun = False
        self.is_whole = False
        self.error: str | None = None
        self._path = path
        self._lines = growing(path)
        self._builder = builder
        self._preview = preview
        self._preview_lines = preview_lines
        self._signature: Any = _NEVER

    def begin(self) -> None:
        """Reads the file for the first time, or its preview; a second call does nothing."""
        if not self.begun:
            self._begin()
            # Last, because other threads look at it without waiting.
            self.begun = True

    def _begin(self) -> None:
        sample = None
        if self._preview is not None:
            try:
                sample = sampled_lines(self._path, self._preview_lines)
            except (OSError, pa.ArrowException) as error:
                self.error = _why(error)
        if sample is None or self._preview is None:
            self._read(None)
        else:
            self._preview.take(sample)
            self.value = self._preview.value()

    def refresh(self, slice_s: float | None = None) -> bool:
        """Reads what is new; returns whether anything is.

        Args:
            slice_s: Seconds after which it stops, to go on with the next call; None for no limit.
                What it has read shows once it has read all.
        """
        if self.begun:
            return self._read(slice_s)
        try:
            now = self._lines.signature()
        except (OSError, pa.ArrowException) as error:
            self.error = _why(error)
            return False
        was, self._signature, self.error = self._signature, now, None
        return was is not _NEVER and bool(now != was)

    def _read(self, slice_s: float | None) -> bool:
        end = None if slice_s is None else time.monotonic() + slice_s
        was_whole, self.is_whole, changed = self.is_whole, False, not self.is_whole
        self.error = None
        try:
            with closing(self._lines.pieces()) as pieces:
                for piece in pieces:
                    changed = True
                    self._builder.take(piece)
                    if end is not None and time.monotonic() > end:
                        return False
            self.is_whole = True
        except (OSError, pa.ArrowException) as error:
            self.error = _why(error)
            # What was read before it failed is as true as it was.
            self.is_whole = was_whole
        if changed:
            self.value = self._builder.value()
        return changed


def _why(error: Exception) -> str:
    return os_reason(error) if isinstance(error, OSError) else first_line(error)
