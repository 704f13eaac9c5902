"""Memory of a worker."""

from __future__ import annotations

import os
from functools import cache

import psutil
import torch


def host_bytes() -> int:
    """Resident memory of this process."""
    return int(_process(os.getpid()).memory_info().rss)


@cache
def _process(pid: int) -> psutil.Process:
    # Making one reads files and holds the lock of Python for longer than the question itself.
    return psutil.Process(pid)


def take_device_bytes(device: torch.device) -> int:
    """The most memory that tensors took on a device since the call before; 0 where it is the host.

    Reads counters of the allocator, so it waits for no device.
    """
    if device.type != "cuda":
        return 0
    most = int(torch.cuda.max_memory_allocated(device))
    torch.cuda.reset_peak_memory_stats(device)
    return most
