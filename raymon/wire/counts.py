"""A vector of counts on the wire: the entries that are not zero, in as few bytes as they need.

Histograms are mostly zeros, and counts of samples without weights are multiples of a large power
of two. So the entries travel in groups of states that need the same number of bytes once the zero
bits that the entries of a state share are cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from raymon.protos.report_pb2 import CountGroup
from raymon.wire.layout import Counts, Layout

Entries = Sequence[tuple[NDArray[np.int64], Counts]]
"""The positions of entries in a vector, each once, and their counts; one pair for each group."""

_WIDTHS = (1, 2, 4, 8)
_FEW = 32
_LARGE = 1 << 12
_AS_THEY_ARE = (0, 8)
_POSITION_TYPES = {width: np.dtype(f"<u{width}") for width in _WIDTHS}
_VALUE_TYPES = {width: np.dtype(f"<i{width}") for width in _WIDTHS}


def encode_counts(layout: Layout, counts: Counts) -> list[CountGroup]:
    """Returns the messages of a vector, int64 `[layout.size]`."""
    positions = _filled(layout, counts)
    if len(positions) == 0:
        return []
    values = counts[positions]
    bounds = np.searchsorted(positions, [slot.begin for slot in layout.slots] + [layout.size])
    groups: dict[tuple[int, int], list[slice]] = {}
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if begin < end:
            # Reading one more group costs as much time as hundreds of entries.
            form = _AS_THEY_ARE if end - begin <= _FEW else _form(values[begin:end])
            groups.setdefault(form, []).append(slice(begin, end))
    return [
        _encode_group(
            np.concatenate([positions[part] for part in parts]),
            np.concatenate([values[part] for part in parts]),
            shift,
            width,
        )
        for (shift, width), parts in groups.items()
    ]


def decode_counts(groups: Iterable[CountGroup], size: int) -> Entries:
    """Returns the entries of the messages of a vector `[size]`.

    Raises:
        ValueError: The entries cannot be of such a vector.
    """
    return [_decode_group(group, size) for group in groups]


def add_counts(entries: Entries, total: Counts) -> None:
    """Adds entries to a vector, in place."""
    for positions, values in entries:
        total[positions] += values


def _filled(layout: Layout, counts: Counts) -> NDArray[np.int64]:
    """Returns the positions of the entries that are not zero, in order."""
    found = [np.empty(0, np.int64)]
    for slot in layout.slots:
        part = counts[slot.begin : slot.end]
        # Large states are mostly all zeros, which this test finds in a fifth of the time.
        if slot.end - slot.begin <= _LARGE or np.bitwise_or.reduce(part):
            found.append(np.flatnonzero(part) + slot.begin)
    return np.concatenate(found)


def _decode_group(group: CountGroup, size: int) -> tuple[NDArray[np.int64], Counts]:
    position_type = _POSITION_TYPES.get(group.position_bytes)
    value_type = _VALUE_TYPES.get(group.value_bytes)
    if position_type is None or value_type is None or group.shift > 63:
        raise ValueError(f"counts of {group.position_bytes} and {group.value_bytes} bytes")
    steps = np.frombuffer(group.positions, position_type)
    values = np.frombuffer(group.values, value_type).astype(np.int64)
    if len(steps) != len(values):
        raise ValueError(f"{len(steps)} positions for {len(values)} counts")
    positions = steps.astype(np.int64).cumsum()
    if len(steps):
        # With distances above 0 positions ascend, so that none occurs twice; the first may be 0.
        if np.count_nonzero(steps) < len(steps) - (steps[0] == 0):
            raise ValueError("a position that is there twice")
        # A distance beyond `size` could overflow the sum, so that the last position seems valid.
        if positions[-1] >= size or int(steps.max()) > size or positions[0] < 0:
            raise ValueError(f"a count beyond the {size} that there are")
    values <<= group.shift
    return positions, values


def _form(values: Counts) -> tuple[int, int]:
    """Returns how many zero bits values share, and how many bytes they need without those."""
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
