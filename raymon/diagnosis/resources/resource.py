"""The resources that a run can use up."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.results import (
    DEVICE_BYTES,
    DEVICE_FREE_BYTES,
    HOST_BYTES,
    HOST_FREE_BYTES,
    MODEL_DIR_FREE_BYTES,
    OPEN_FILES,
    OPEN_FILES_FREE,
)


@dataclass(frozen=True)
class Resource:
    """Something that each rank uses.

    Attributes:
        kind: Kind of the finding that it grows.
        used: Name of the number that grows; None where only what is left is known.
        free: Name of the number that says what is left.
        words: What it is, in words.
        unit: "B" for bytes, else what is counted.
        least: Growth that matters, in what is looked at.
        is_shared: Whether all ranks see the same one, so that the lowest speaks for all.
    """

    kind: str
    used: str | None
    free: str
    words: str
    unit: str
    least: float
    is_shared: bool = False


RESOURCES = (
    Resource("memory_grows", HOST_BYTES, HOST_FREE_BYTES, "host memory", "B", 64e6),
    Resource("device_memory_grows", DEVICE_BYTES, DEVICE_FREE_BYTES, "GPU memory", "B", 64e6),
    Resource("open_files_grow", OPEN_FILES, OPEN_FILES_FREE, "the number of files", " files", 50),
    Resource("disk_fills", None, MODEL_DIR_FREE_BYTES, "the disk of model_dir", "B", 64e6, True),
)
"""All resources that are watched."""


def amount(value: float, unit: str) -> str:
    """Returns an amount as text, such as `1.2 GB`."""
    if unit != "B":
        return f"{value:,.0f}{unit}"
    for size, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.0f} B"
