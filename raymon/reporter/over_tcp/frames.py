"""Messages on a stream of bytes: the length of each, and then its bytes."""

from __future__ import annotations

import struct

from raymon.errors import RaymonError
from raymon.reporter.reporter import MAX_MESSAGE_BYTES

MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 1024
"""Most bytes of a frame, which is a message with its number."""

MAX_GREETING_BYTES = 1 << 16
"""Most bytes of a frame before its sender has shown who it is."""

_LENGTH = struct.Struct(">I")


class FrameError(RaymonError):
    """What came is no frame, or a larger one than is taken."""


def frame(message: bytes) -> bytes:
    """Returns a message as a frame."""
    return _LENGTH.pack(len(message)) + message


class FrameReader:
    """Puts frames together from the parts in which they come.

    Attributes:
        most_bytes: Most bytes of a frame that is taken.
    """

    def __init__(self) -> None:
        self.most_bytes = MAX_GREETING_BYTES
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Takes the bytes that came."""
        self._buffer += data

    def next(self) -> bytes | None:
        """Returns the next message; None if it has not come whole yet.

        Raises:
            FrameError: It is larger than `most_bytes`, which is known before it has come.
        """
        begin = _LENGTH.size
        if len(self._buffer) < begin:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > self.most_bytes:
            raise FrameError(f"a message of {length:,} bytes, more than {self.most_bytes:,}")
        if len(self._buffer) < begin + length:
            return None
        message = bytes(memoryview(self._buffer)[begin : begin + length])
        del self._buffer[: begin + length]
        return message
