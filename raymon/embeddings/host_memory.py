"""The memory of this machine, or of the container in which the process runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def memory_limit(root: Path = _ROOT, own: Path = _OWN) -> int:
    """Returns the bytes that all processes here may take together.

    It is the memory of the machine, or the smallest limit of the cgroups around this process.

    Args:
        root: Where cgroups are mounted.
        own: File with the cgroups of this process.
    """
    limits = [limit for file in _limit_files(root, own) if (limit := _number_in(file))]
    return min([int(psutil.virtual_memory().total), *limits])


def _limit_files(root: Path, own: Path) -> Iterator[Path]:
    """Yields the files that may have a limit, of versions 2 and 1 of cgroups."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    # In a container its own cgroup may be the root of what it sees.
    yield root / "memory.max"
    yield root / "memory" / "memory.limit_in_bytes"
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        inner = Path(path.lstrip("/"))
        for each in [inner, *inner.parents]:
            if not controllers:
                yield root / each / "memory.max"
            elif "memory" in controllers.split(","):
                yield root / "memory" / each / "memory.limit_in_bytes"


def _number_in(file: Path) -> int | None:
    """Returns the number in a file; None if there is none, as in "max"."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
