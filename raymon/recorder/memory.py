"""Memory that a worker uses."""

from __future__ import annotations

import os
from functools import cache

import psutil
import torch


def host_bytes() -> int:
    """Returns the resident memory of this process in bytes."""
    return int(_process(os.getpid()).memory_info().rss)


@cache
def _process(pid: int) -> psutil.Process:
    # Cached: making a `psutil.Process` reads files, and holds the GIL for longer than asking it.
    return psutil.Process(pid)


def take_device_bytes(device: torch.device) -> int:
    """Returns the peak bytes of tensors on a device since the last call; 0 for the CPU.

    Reads counters of the allocator, so it does not wait for the device.
    """
    if device.type != "cuda":
        return 0
    most = int(torch.cuda.max_memory_allocated(device))
    torch.cuda.reset_peak_memory_stats(device)
    return most
