"""The most memory that a call takes."""

from __future__ import annotations

import ctypes
import gc
import re
from collections.abc import Callable
from pathlib import Path

_SELF = Path("/proc/self")


def peak_mib(call: Callable[[], object]) -> float:
    """MiB of this process that were resident at most, above what was before.

    Of Linux alone: there the mark of the most that was resident can be set back.

    Raises:
        OSError: This is another system, or it does not let a process do so.
    """
    gc.collect()
    # What was freed and kept would be taken again, and not be seen.
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
