"""Memory that a worker uses on its host."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import psutil


def host_bytes() -> int:
    """Returns the resident memory of this process in bytes."""
    return int(_process(os.getpid()).memory_info().rss)


def free_host_bytes(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Returns the bytes that processes here can still take, of the machine or of its container.

    Args:
        root: Where cgroups are mounted.
    """
    free = int(psutil.virtual_memory().available)
    for limit, used in _CGROUPS:
        try:
            left = int((root / limit).read_text()) - int((root / used).read_text())
        except (OSError, ValueError):  # there is none, or it has no limit
            continue
        free = min(free, left + _cached_files((root / used).with_name("memory.stat")))
    return free


def _cached_files(stat: Path) -> int:
    """Returns the bytes of files that are counted as used, and are given up when needed."""
    try:
        lines = stat.read_text().splitlines()
    except OSError:
        return 0
    counted = dict(line.split(" ", 1) for line in lines if " " in line)
    return int(counted.get("total_inactive_file", counted.get("inactive_file", 0)))


_CGROUPS = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""Files with the limit of a cgroup and what is used of it, of versions 2 and 1."""


@cache
def _process(pid: int) -> psutil.Process:
    # Cached: making a `psutil.Process` reads files, and holds the GIL for longer than asking it.
    return psutil.Process(pid)
