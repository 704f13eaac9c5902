"""Page-locked host memory: copies from a GPU go there fast, and no thread waits for them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress

import torch

from raymon.training.checkpoint.host_blocks import Memory

_PORTABLE = 1
"""cudaHostRegisterPortable: the memory is page-locked for all devices."""


class PageLock:
    """Locks the pages of host memory, until the memory is freed.

    Where that fails, copies are right, but the training thread waits for them.

    Args:
        tell: Function that shows a line to those who watch the run; called once.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell: Callable[[str], None] | None = tell

    def __call__(self, memory: Memory) -> None:
        """Locks the pages of a block that begins at a page of its own."""
        address, runtime = memory.ctypes.data, torch.cuda.cudart()
        error = int(runtime.cudaHostRegister(address, len(memory), _PORTABLE))
        if not error:
            # At the end of the process the driver does it, perhaps before this could.
            weakref.finalize(memory, runtime.cudaHostUnregister, address).atexit = False
            return
        with suppress(RuntimeError):
            # The next kernel that this thread launches raises the error, which is to be none of
            # training.
            torch.ones((), device="cuda")
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(
                f"saves stand still for longer: {len(memory):,} bytes of host memory cannot be "
                f"page-locked: CUDA error {error}"
            )
