"""A thread that copies batches to a device."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from queue import SimpleQueue

from torch import Tensor

from raymon.data.batch import Batch
from raymon.data.batch_layout import BatchLayout
from raymon.data.transfer.copies import Copies, Mark
from raymon.data.transfer.host_ring import HostRing

STEPS_BEHIND = 8
"""Steps that may be queued on the device when a batch is copied for a later one.

Without a limit a thread that queues steps faster than they are made would fill the device with
batches.
"""

_JOIN_S = 10.0
"""Seconds that closing waits for the thread, which may wait for a device that hangs."""


@dataclass(frozen=True)
class _Copied:
    """A batch of views on memory of the device, and the mark after its copy."""

    batch: Batch
    memory: Tensor
    mark: Mark


class CopyThread:
    """A thread that packs batches, each into one piece of memory, and starts their copies.

    Another thread gives it batches, takes their copies in the same order, and queues the work that
    uses them; it waits neither for a copy nor for the device.

    Args:
        copies: Maker of the copies.
    """

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        self._ring = HostRing(copies)
        self._given: SimpleQueue[Batch | None] = SimpleQueue()
        self._copied: SimpleQueue[_Copied | BaseException] = SimpleQueue()
        # The marks before each step that may not be over yet.
        self._steps: deque[Mark] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="raymon-copies", daemon=True)
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Gives the thread a batch on the CPU, which must not be written to any more."""
        self._given.put(batch)

    def take(self) -> Batch:
        """Returns the next batch on the device, for work that is queued from now on.

        Everything queued before is the work of earlier batches.
        """
        copied = self._copied.get()
        if isinstance(copied, BaseException):
            raise copied
        self._steps.append(self._copies.use(copied.memory, copied.mark))
        return copied.batch

    def close(self) -> None:
        """Ends the thread; batches that are not copied yet are left out."""
        self._closed = True
        self._given.put(None)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        for batch in iter(self._given.get, None):
            if self._closed:
                return
            try:
                with self._copies.on_thread():
                    self._copied.put(self._copy(batch))
            except BaseException as error:  # raised by the thread that takes the batch
                self._copied.put(error)

    def _copy(self, batch: Batch) -> _Copied:
        while len(self._steps) > STEPS_BEHIND:
            self._steps.popleft().synchronize()
        layout = BatchLayout.of(batch)
        host = self._ring.next(layout.nbytes)
        layout.pack(batch, host)
        memory, mark = self._copies.start(host)
        self._ring.keep(mark)
        return _Copied(layout.views(memory), memory, mark)
