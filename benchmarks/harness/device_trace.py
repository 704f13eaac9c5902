"""What a device did in the steps of a trace of `torch.profiler`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KERNELS = ("kernel",)
COPIES = ("gpu_memcpy", "gpu_memset")
_STEP = "ProfilerStep#"


@dataclass(frozen=True)
class DeviceTrace:
    """Counts and times of a device, of the steps in a trace.

    Attributes:
        steps: Number of steps.
        kernels: Kernels of all steps.
        copies: Copies and fills of memory.
        busy_us: Microseconds in which at least one of them ran.
        span_us: Microseconds from the begin of the first step to the end of the last, on the host
            or the device.
    """

    steps: int
    kernels: int
    copies: int
    busy_us: float
    span_us: float

    @property
    def launches_a_step(self) -> float:
        """Kernels and copies of a step."""
        return (self.kernels + self.copies) / self.steps if self.steps else 0.0

    @property
    def busy_share(self) -> float:
        """The share of the time in which the device was busy."""
        return self.busy_us / self.span_us if self.span_us else 0.0


def read_trace(path: Path) -> DeviceTrace:
    """Returns what a device did, of a file that `torch.profiler` wrote."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return of_events(json.load(file)["traceEvents"])


def of_events(events: Iterable[Mapping[str, Any]]) -> DeviceTrace:
    """Returns what a device did, of events in the format of Chrome's tracing.

    Work of the device counts wherever it falls: that of the last step runs after its end on the
    host. The profiler notes steps on the host, and again on the device; only the former count.
    """
    steps: list[tuple[float, float]] = []
    work: list[tuple[float, float]] = []
    kernels = copies = 0
    for event in events:
        if event.get("ph") != "X":
            continue
        kind, began = event.get("cat"), float(event["ts"])
        lasted = (began, began + float(event.get("dur", 0.0)))
        if kind in KERNELS or kind in COPIES:
            kernels += kind in KERNELS
            copies += kind in COPIES
            work.append(lasted)
        elif kind == "user_annotation" and str(event.get("name", "")).startswith(_STEP):
            steps.append(lasted)
    if not steps:
        return DeviceTrace(0, kernels, copies, _covered(work), 0.0)
    begin = min(began for began, _ in steps)
    end = max(ended for _, ended in [*steps, *work])
    return DeviceTrace(len(steps), kernels, copies, _covered(work), end - begin)


def _covered(intervals: Iterable[tuple[float, float]]) -> float:
    """Returns the length of the union of intervals."""
    total, end = 0.0, float("-inf")
    for began, ended in sorted(intervals):
        total += max(0.0, ended - max(began, end))
        end = max(end, ended)
    return total
