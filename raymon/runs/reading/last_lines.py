"""The last lines of a file, read from its end."""

from __future__ import annotations

from raymon.storage import StoragePath, open_file

_CHUNK_BYTES = 1 << 16
_MOST_BYTES = 32 << 20


def last_lines(path: StoragePath, count: int) -> list[bytes]:
    """Returns the last lines of a file without their newlines, at most 32 MB of them.

    Args:
        path: Path of the file.
        count: Number of lines.

    Raises:
        OSError: It cannot be read.
    """
    with open_file(path) as file:
        begin = file.seek(0, 2)
        data = b""
        # One newline more than lines: that of the line before them.
        while begin > 0 and data.count(b"\n") <= count and len(data) < _MOST_BYTES:
            size = min(begin, max(_CHUNK_BYTES, len(data)))
            begin -= size
            file.seek(begin)
            data = bytes(file.read(size)) + data
    found = data.split(b"\n")
    if begin > 0:
        # What is left of the line in whose middle it begins.
        found = found[1:]
    if found and not found[-1]:
        found = found[:-1]
    return found[-count:] if count > 0 else []
