"""What a worker uses of its machine, and what is left there."""

from __future__ import annotations

import os
import resource
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from raymon.recorder.memory import free_host_bytes, host_bytes
from raymon.results import (
    DEVICE_FREE_BYTES,
    HOST_BYTES,
    HOST_FREE_BYTES,
    MODEL_DIR_FREE_BYTES,
    OPEN_FILES,
    OPEN_FILES_FREE,
)
from raymon.storage import StoragePath

_EVERY_S = 5.0


class ResourceWatch:
    """A daemon thread that measures every five seconds, so that nobody waits for a slow disk.

    What cannot be measured is left out.

    Args:
        model_dir: Directory of the run; None if there is none.
        device: Device of the worker; None for the CPU.
    """

    def __init__(self, model_dir: StoragePath | None, device: torch.device | None = None) -> None:
        self._measures: dict[str, Callable[[], float]] = {
            HOST_BYTES: host_bytes,
            HOST_FREE_BYTES: free_host_bytes,
            OPEN_FILES: _open_files,
            OPEN_FILES_FREE: lambda: _most_files() - _open_files(),
        }
        if isinstance(model_dir, Path):
            self._measures[MODEL_DIR_FREE_BYTES] = lambda: shutil.disk_usage(model_dir).free
        if device is not None and device.type == "cuda":
            self._measures[DEVICE_FREE_BYTES] = lambda: torch.cuda.mem_get_info(device)[0]
        self._levels: dict[str, float] = {}
        self._ended = threading.Event()
        threading.Thread(target=self._work, name="raymon-resources", daemon=True).start()

    def levels(self) -> Mapping[str, float]:
        """Returns what was measured last, by the names of `LEVELS`; waits for nothing."""
        return self._levels

    def close(self) -> None:
        """Ends the thread."""
        self._ended.set()

    def _work(self) -> None:
        while not self._ended.is_set():
            self._levels = dict(self._measured())
            self._ended.wait(_EVERY_S)

    def _measured(self) -> Mapping[str, float]:
        found = {}
        for name, measure in list(self._measures.items()):
            try:
                found[name] = float(measure())
            except Exception:  # what cannot be measured now will not be later
                del self._measures[name]
        return found


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _most_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
