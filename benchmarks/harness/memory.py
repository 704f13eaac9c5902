"""Memory that a process keeps, so that no contender pays for pages that another one gave back."""

from __future__ import annotations

import ctypes


def keep_memory() -> None:
    """Makes glibc give no memory back to the system; other allocators keep theirs by themselves."""
    trim_threshold, mmap_threshold = -1, -3  # As in malloc.h.
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(trim_threshold, 1 << 30)
        library.mallopt(mmap_threshold, 1 << 30)
