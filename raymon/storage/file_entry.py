"""Records of files as they were written, to check later that they are unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from raymon.storage.paths import StoragePath


@dataclass(frozen=True)
class FileEntry:
    """A record of a file as it was written.

    Attributes:
        size: Size in bytes.
        sha256: SHA-256 of its bytes, in hexadecimal.
    """

    size: int
    sha256: str

    @classmethod
    def of(cls, path: StoragePath) -> FileEntry:
        """Reads a file, and returns its record."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(file.tell(), digest)


def first_difference(directory: StoragePath, files: Mapping[str, FileEntry]) -> str | None:
    """Returns what is wrong with the first file that was changed; None if nothing is.

    Reads all files.

    Args:
        directory: Directory that holds the files.
        files: Records of the files as they were written, by name.

    Raises:
        OSError: A file cannot be read.
    """
    for name, entry in files.items():
        found = FileEntry.of(directory / name)
        if found.size != entry.size:
            return f"{name} has {found.size:,} bytes in place of {entry.size:,}"
        if found.sha256 != entry.sha256:
            return f"{name} is not what was written: its sha256 is another one"
    return None
