"""One scalar per step, such as a loss, until the window ends."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.recorder.background_scalars import BackgroundScalars


class StepScalars:
    """Scalars in the order of the steps.

    A scalar on the CPU becomes a float at once, which does not wait there. Kept as small tensors
    they would fragment the memory that steps allocate and free: that took 25 us of a step of 2 ms,
    and a copy into one tensor took 10 us.
    """

    def __init__(self) -> None:
        self._scalars: list[Tensor | float] = []

    def add(self, scalar: Tensor | float) -> None:
        """Adds the scalar of the next step, on any device, without waiting for it."""
        if isinstance(scalar, Tensor):
            scalar = scalar.item() if scalar.is_cpu else scalar.detach()
        self._scalars.append(scalar)

    def take(self, stream: torch.cuda.Stream | None) -> BackgroundScalars:
        """Removes all scalars, for a background thread.

        Args:
            stream: CUDA stream for `BackgroundScalars`; None on the CPU.
        """
        taken = BackgroundScalars(self._scalars, stream)
        self._scalars = []
        return taken
