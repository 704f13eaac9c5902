"""The peak memory of a call."""

from __future__ import annotations

import ctypes
import gc
import re
from collections.abc import Callable
from pathlib import Path

_SELF = Path("/proc/self")


def peak_mib(call: Callable[[], object]) -> float:
    """Returns the most MiB that were resident in this process during a call, minus those before it.

    Only on Linux, where the high-water mark of resident memory can be reset.

    Raises:
        OSError: This is another system, or it does not let a process reset the mark.
    """
    gc.collect()
    # Memory that was freed and kept would be used again, and not be measured.
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
    (_SELF / "clear_refs").write_text("5")
    before = _kib("VmRSS")
    call()
    return (_kib("VmHWM") - before) / 2**10


def _kib(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", (_SELF / "status").read_text())
    assert found is not None, f"no {name} in the status of this process"
    return int(found[1])
