"""Files of a run, opened by those who only look at it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

from raymon.storage.paths import StoragePath

MOST_BYTES = 256 << 20
"""Bytes of a file that is read as a whole; those of runs are far smaller."""


def open_file(path: StoragePath) -> Any:
    """Opens a file for reading bytes; what is none, as a pipe, is refused and not waited for.

    Args:
        path: Path of the file, or of an object.

    Raises:
        OSError: It cannot be read, or is no file.
    """
    if not isinstance(path, Path):
        return path.open("rb")
    # Without O_NONBLOCK a pipe would be opened when somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def read_file(path: StoragePath, most_bytes: int = MOST_BYTES) -> bytes:
    """Returns the bytes of a file.

    Args:
        path: Path of the file, or of an object.
        most_bytes: Size above which it is refused.

    Raises:
        OSError: It cannot be read, is no file, or is larger.
    """
    if not isinstance(path, Path):
        return path.read_bytes()
    with open_file(path) as file:
        data: bytes = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes >> 20} MiB", str(path))
    return data
