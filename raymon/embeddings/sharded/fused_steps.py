"""The number of the step that the kernels of fbgemm make, on which the updates of Adam depend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from torch import Tensor


class CountingKernels(Protocol):
    """What is asked of fbgemm's kernels, each lookup of which counts as a step.

    Attributes:
        iter_cpu: Steps so far, int64 `[1]`, on the CPU; a lookup adds 1, and so many steps its
            update will have made.
        iter: The same on the device, which is taken where `iter_cpu` is 0.
    """

    iter_cpu: Tensor
    iter: Tensor


def set_steps(kernels: Iterable[CountingKernels], steps: int) -> None:
    """Has the next lookups be those of the step after a number of steps.

    fbgemm counts lookups of evaluations and of each part of a group too, and does not know of the
    steps that a restored run has made.

    Args:
        kernels: The kernels.
        steps: Steps that the optimizer has made.
    """
    for one in kernels:
        one.iter_cpu.fill_(steps)
        if steps == 0:
            one.iter.zero_()
