"""Objects as files of this machine."""

from __future__ import annotations

from pathlib import Path

from tests.storage.objects import Objects


def mirror(objects: Objects, to: Path) -> Path:
    """Makes a directory hold what the bucket holds, and no more."""
    there = {to / key.removeprefix("bucket/"): data for key, data in objects.objects.items()}
    for file in to.rglob("*"):
        if file.is_file() and file not in there:
            file.unlink()
    for file, data in there.items():
        if not file.exists() or file.read_bytes() != data:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return to


def lines_of(objects: Objects, name: str = "run/monitor/windows.jsonl") -> list[bytes]:
    """Returns the lines in the parts of a file, as `cat` prints them."""
    keys = sorted(key for key in objects.objects if key.startswith(f"bucket/{name}/"))
    return b"".join(objects.objects[key] for key in keys).splitlines()
