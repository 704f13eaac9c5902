"""Lines that grow, wherever they are."""

from __future__ import annotations

from pathlib import Path

from raymon.runs.reading.growing_file import GrowingFile
from raymon.runs.reading.growing_object import GrowingObject
from raymon.storage import StoragePath

Growing = GrowingFile | GrowingObject


def growing(path: StoragePath) -> Growing:
    """Returns the lines of a file, or on object storage of an object or a directory of parts."""
    return GrowingFile(path) if isinstance(path, Path) else GrowingObject(path)
