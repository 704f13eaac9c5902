"""Memory of a worker."""

from __future__ import annotations

import psutil
import torch


def host_bytes() -> int:
    """Resident memory of this process."""
    return int(psutil.Process().memory_info().rss)


def take_device_bytes(device: torch.device) -> int:
    """The most memory that tensors took on a device since the call before; 0 where it is the host.

    Reads counters of the allocator, so it waits for no device.
    """
    if device.type != "cuda":
        return 0
    most = int(torch.cuda.max_memory_allocated(device))
    torch.cuda.reset_peak_memory_stats(device)
    return most
