"""A vector of counts on the wire: its entries that are not zero, in as few bytes as they need.

Histograms are mostly zeros, and counts of samples without weights are multiples of a large power
of two. So the entries travel in groups of states that need the same number of bytes once the zero
bits that a state's entries share are off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from raymon.monitor.layout import Counts, Layout
from raymon.protos.report_pb2 import CountGroup

_WIDTHS = (1, 2, 4, 8)
_POSITION_TYPES = {width: np.dtype(f"<u{width}") for width in _WIDTHS}
_VALUE_TYPES = {width: np.dtype(f"<i{width}") for width in _WIDTHS}


def encode_counts(layout: Layout, counts: Counts) -> list[CountGroup]:
    """The messages of a vector, int64 `[layout.size]`."""
    positions = np.flatnonzero(counts)
    if len(positions) == 0:
        return []
    values = counts[positions]
    bounds = np.searchsorted(positions, [slot.begin for slot in layout.slots] + [layout.size])
    groups: dict[tuple[int, int], list[slice]] = {}
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if begin < end:
            state = slice(begin, end)
            groups.setdefault(_form(values[state]), []).append(state)
    return [
        _encode_group(
            np.concatenate([positions[part] for part in parts]),
            np.concatenate([values[part] for part in parts]),
            shift,
            width,
        )
        for (shift, width), parts in groups.items()
    ]


def check_counts(groups: Iterable[CountGroup], size: int) -> None:
    """Checks that all entries are in a vector of a size, and may be added to it.

    Raises:
        ValueError: They are not.
    """
    for positions, _ in _entries(groups):
        if len(positions) and not (positions[0] >= 0 and positions[-1] < size):
            raise ValueError(f"a count at {positions[-1]}, beyond the {size} that there are")


def add_counts(groups: Iterable[CountGroup], total: Counts) -> None:
    """Adds the entries of messages that `check_counts` passed to a vector, in place."""
    for positions, values in _entries(groups):
        total[positions] += values


def _entries(groups: Iterable[CountGroup]) -> Iterator[tuple[NDArray[np.int64], Counts]]:
    for group in groups:
        if group.position_bytes not in _POSITION_TYPES or group.value_bytes not in _VALUE_TYPES:
            raise ValueError(f"counts of {group.position_bytes} and {group.value_bytes} bytes")
        # Distances above 0 make positions rise, so that each is there once.
        steps = np.frombuffer(group.positions, _POSITION_TYPES[group.position_bytes])
        values = np.frombuffer(group.values, _VALUE_TYPES[group.value_bytes]).astype(np.int64)
        if len(steps) != len(values) or group.shift > 63:
            raise ValueError(f"{len(steps)} positions for {len(values)} counts")
        if len(steps) > 1 and not steps[1:].all():
            raise ValueError("a position that is there twice")
        if group.position_bytes == 8 and len(steps) and int(steps.max()) > 1 << 40:
            raise ValueError("a position beyond all vectors")
        values <<= group.shift
        yield np.cumsum(steps, dtype=np.int64), values


def _form(values: Counts) -> tuple[int, int]:
    """The zero bits that values share, and the bytes that they need without."""
    together = int(np.bitwise_or.reduce(values))
    shift = (together & -together).bit_length() - 1
    largest = max(int(values.max()), -int(values.min()) - 1) >> shift
    return shift, next(w for w in _WIDTHS if largest < 1 << (8 * w - 1))


def _encode_group(
    positions: NDArray[np.int64], values: Counts, shift: int, width: int
) -> CountGroup:
    steps = np.diff(positions, prepend=0)
    largest = int(steps.max())
    position_bytes = next(w for w in _WIDTHS if largest < 1 << (8 * w))
    return CountGroup(
        positions=steps.astype(_POSITION_TYPES[position_bytes]).tobytes(),
        position_bytes=position_bytes,
        values=(values >> shift).astype(_VALUE_TYPES[width]).tobytes(),
        value_bytes=width,
        shift=shift,
    )
