"""Memory that a worker uses on its host."""

from __future__ import annotations

import os
from functools import cache

import psutil


def host_bytes() -> int:
    """Returns the resident memory of this process in bytes."""
    return int(_process(os.getpid()).memory_info().rss)


@cache
def _process(pid: int) -> psutil.Process:
    # Cached: making a `psutil.Process` reads files, and holds the GIL for longer than asking it.
    return psutil.Process(pid)
