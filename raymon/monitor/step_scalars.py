"""One number of each step, as a loss, until its window ends."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.monitor.late_stack import LateStack

_FIRST_ROOM = 256


class StepScalars:
    """Scalars, in the order of the steps.

    Those on the CPU are copied: each that was kept would be in the way of the large pieces of
    memory that steps allocate and free, which took 25 us of a step of 2 ms.
    """

    def __init__(self) -> None:
        self._kept: list[Tensor | float] = []
        self._room: Tensor | None = None
        self._copied = 0

    def add(self, scalar: Tensor | float) -> None:
        """Takes the scalar of the next step, on any device; waits for none."""
        if isinstance(scalar, Tensor):
            scalar = scalar.detach()
            if scalar.device.type == "cpu" and not self._kept:
                self._copy(scalar)
                return
        if self._copied:
            # Of another kind than those before: rare, and the order counts.
            self._kept, self._copied = [*self._copies().unbind()], 0
        self._kept.append(scalar)

    def take(self, stream: torch.cuda.Stream | None) -> LateStack:
        """All of them, for another thread; none is left here.

        Args:
            stream: As for `LateStack`.
        """
        taken = LateStack(self._copies() if self._copied else self._kept, stream)
        self._kept, self._room, self._copied = [], None, 0
        return taken

    def _copy(self, scalar: Tensor) -> None:
        if self._room is None:
            self._room = torch.empty(_FIRST_ROOM, dtype=torch.float64, device="cpu")
        elif self._copied == len(self._room):
            self._room = torch.cat([self._room, torch.empty_like(self._room)])
        self._room[self._copied].copy_(scalar)
        self._copied += 1

    def _copies(self) -> Tensor:
        assert self._room is not None
        return self._room[: self._copied]
