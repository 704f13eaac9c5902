"""An output stream whose failures never reach the program that writes to it."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TextIO


class SafeStream(io.TextIOBase):
    """A stream that forwards to another one as far as that works, and never raises.

    The reader of a pipe may have gone, a terminal may be closed, a disk full, and an encoding may
    lack characters; none of that is a reason for training to end, or for a traceback in a log.

    Args:
        stream: The other stream; None if there is none, as in a program without a console.
    """

    encoding = "utf-8"
    """Encoding of the other stream."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Writes a text; characters that the encoding lacks become escapes."""
        if self._stream is not None:
            with suppress(Exception):
                try:
                    self._stream.write(text)
                except UnicodeError:
                    known = text.encode(self.encoding, "backslashreplace").decode(self.encoding)
                    self._stream.write(known)
        return len(text)

    def flush(self) -> None:
        """Flushes the other stream."""
        if self._stream is not None:
            with suppress(Exception):
                self._stream.flush()

    def isatty(self) -> bool:
        """Returns whether the other stream says that it is a terminal."""
        with suppress(Exception):
            return self._stream is not None and self._stream.isatty()
        return False

    def fileno(self) -> int:
        """Returns the file descriptor of the other stream.

        Raises:
            OSError: It has none.
        """
        try:
            return super().fileno() if self._stream is None else self._stream.fileno()
        except (AttributeError, ValueError) as error:
            raise io.UnsupportedOperation("fileno") from error
