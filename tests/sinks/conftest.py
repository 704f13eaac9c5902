import io
from pathlib import Path

import pytest


class FullDisk(io.FileIO):
    """A file on a disk that has space for ten more bytes."""

    def write(self, data) -> int:
        if len(data) <= 10:
            raise OSError(28, "No space left on device")
        return super().write(memoryview(data)[:10])


@pytest.fixture
def full_disk(monkeypatch):
    """Makes the disk full, for a number of appends."""
    left = [0]
    really_open = Path.open

    def open_file(path, mode="r", *args, **kwargs):
        if mode == "ab" and left[0]:
            left[0] -= 1
            return io.BufferedWriter(FullDisk(path, "ab"))
        return really_open(path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_file)
    return left
