"""Memory and use of the GPU of a worker, as the thread that sends windows reads them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch

from raymon.results import DeviceNumbers

_SAMPLE_S = 0.5
"""Seconds between two samples of the use. The driver averages over 1/6 s to 1 s itself."""


class DeviceWatch:
    """Reads counters of torch's allocator and, through NVML, of the driver; waits for no device.

    Without `nvidia-ml-py`, or where the driver does not tell the use, as of a part of a GPU, there
    is memory alone.

    Args:
        device: The device; of a CPU there are no numbers.
        memory: Function that returns the counters of the allocator, as `torch.cuda.memory_stats`.
        reset_peak: Function that begins the next peak of the memory.
        use: Function that returns the use in percent, as `torch.cuda.utilization`.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        device: torch.device,
        *,
        memory: Callable[[torch.device], Mapping[str, int]] = torch.cuda.memory_stats,
        reset_peak: Callable[[torch.device], None] = torch.cuda.reset_peak_memory_stats,
        use: Callable[[torch.device], int] = torch.cuda.utilization,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device = device
        self._memory = memory
        self._reset_peak = reset_peak
        self._use: Callable[[torch.device], int] | None = use if device.type == "cuda" else None
        self._clock = clock
        self._sampled_at = -_SAMPLE_S
        self._busy_percent = self._samples = 0

    def sample(self) -> None:
        """Samples the use, if it is time."""
        now = self._clock()
        if self._use is None or now - self._sampled_at < _SAMPLE_S:
            return
        self._sampled_at = now
        try:
            self._busy_percent += self._use(self._device)
            self._samples += 1
        except Exception:  # a driver that cannot tell it now will not tell it later
            self._use = None

    def take(self) -> DeviceNumbers | None:
        """Returns the numbers since the last call; None of a CPU."""
        if self._device.type != "cuda":
            return None
        self.sample()
        found = self._memory(self._device)
        if not found:  # nothing of this process is on the device yet
            return None
        self._reset_peak(self._device)
        numbers = DeviceNumbers(
            found["allocated_bytes.all.peak"],
            found["allocated_bytes.all.current"],
            found["reserved_bytes.all.current"],
            self._busy_percent,
            self._samples,
        )
        self._busy_percent = self._samples = 0
        return numbers
