"""Files as they were written, to tell later whether they still are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from raymon.storage.paths import StoragePath


@dataclass(frozen=True)
class FileEntry:
    """A file as it was written.

    Attributes:
        size: In bytes.
        sha256: Of its bytes, in hexadecimal.
    """

    size: int
    sha256: str

    @classmethod
    def of(cls, path: StoragePath) -> FileEntry:
        """What there is now; it is read for it."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(file.tell(), digest)


def first_difference(directory: StoragePath, files: Mapping[str, FileEntry]) -> str | None:
    """What is wrong with the first file that is not as it was written; None: nothing.

    All of them are read for it.

    Args:
        directory: With the files.
        files: As they were written, by name.

    Raises:
        OSError: One cannot be read.
    """
    for name, entry in files.items():
        found = FileEntry.of(directory / name)
        if found.size != entry.size:
            return f"{name} has {found.size:,} bytes in place of {entry.size:,}"
        if found.sha256 != entry.sha256:
            return f"{name} is not what was written: its sha256 is another one"
    return None
