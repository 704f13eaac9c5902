"""A file with one JSON object that is written anew from time to time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from raymon.errors import first_line, os_reason
from raymon.runs.reading.growing_file import signature_of
from raymon.runs.reading.line_numbers import parsed_line
from raymon.storage import StoragePath, read_file


class JsonFile:
    """A JSON object in a file, read again when the file has changed.

    Args:
        path: Path of the file, which may be missing.

    Attributes:
        value: The object; empty if the file is missing. While the file is half written or cannot be
            read, the object that it held before.
        error: What is wrong with it, in a line; None if nothing is.
        exists: Whether the file is there.
    """

    def __init__(self, path: StoragePath) -> None:
        self.value: Mapping[str, Any] = {}
        self.error: str | None = None
        self.exists = False
        self._path = path
        self._signature: Any = None

    def refresh(self) -> bool:
        """Reads the file if it has changed; returns whether the object has.

        The file of object storage is read at each call, as it is no more than a look at it.
        """
        try:
            signature = self._now()
            if signature is not None and signature == self._signature:
                return False
            data = read_file(self._path)
        except (FileNotFoundError, NotADirectoryError):
            was, self.value, self.error = self.value, {}, None
            self.exists, self._signature = False, None
            return bool(was)
        except (OSError, pa.ArrowException) as error:
            self.error = os_reason(error) if isinstance(error, OSError) else first_line(error)
            return False
        self._signature, self.exists = signature, True
        found = parsed_line(data)
        if found is None:
            self.error = "it is half written, or no JSON object"
            return False
        self.error = None
        was, self.value = self.value, found
        return found != was

    def _now(self) -> Any:
        return signature_of(os.stat(self._path)) if isinstance(self._path, Path) else None
