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
        device: Device whose copies go there.
        tell: Function that shows a line to those who watch the run; called once.
    """

    def __init__(self, device: torch.device, tell: Callable[[str], None]) -> None:
        self._device = device
        self._tell: Callable[[str], None] | None = tell

    def __call__(self, memory: Memory) -> None:
        """Locks the pages of a block that begins at a page of its own."""
        address = memory.ctypes.data
        # Without a device of its own, a thread would begin to use the first one.
        with torch.cuda.device(self._device):
            error = int(torch.cuda.cudart().cudaHostRegister(address, len(memory), _PORTABLE))
            if error:
                with suppress(RuntimeError):
                    # The next kernel that this thread launches raises the error.
                    torch.ones((), device=self._device)
        if not error:
            # At the end of the process the driver does it, perhaps before this could.
            weakref.finalize(memory, _unlock, address, self._device).atexit = False
            return
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(
                f"saves stand still for longer: {len(memory):,} bytes of host memory cannot be "
                f"page-locked: CUDA error {error}"
            )


def _unlock(address: int, device: torch.device) -> None:
    with torch.cuda.device(device):
        torch.cuda.cudart().cudaHostUnregister(address)
