"""Memory that a worker keeps between its steps."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # As in malloc.h.

_LARGEST_ARRAY = 32 << 20
"""Bytes; the most that glibc takes from memory that it keeps."""

_KEPT = 1 << 30
_HEAP = 64 << 20
"""Bytes of a heap of glibc that is not the first: those of threads, where training is."""


def keep_memory() -> None:
    """Has glibc keep what tensors free, for the next ones; other allocators do so by themselves.

    By itself it gives memory back at the end of a step or not, as it happens to lie: some workers
    then had 16 MB of new pages in each step, which took up to a quarter of its time, and others
    that did the same none. `TOP_PAD` is what counts for the heaps of threads.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST_ARRAY)
    mallopt(_TRIM_THRESHOLD, _KEPT)
    mallopt(_TOP_PAD, _HEAP)
