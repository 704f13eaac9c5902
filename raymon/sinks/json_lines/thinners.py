"""How lines are made fewer, or shorter, when they are too many."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from raymon.sinks.json_lines.json_line import is_before, to_line
from raymon.sinks.thinning import WHOLE_S, thin

Thinner = Callable[[Sequence[bytes], int], Sequence[bytes]]
"""Given all lines, the oldest first, and a number of bytes, returns lines of about so many."""

NEWEST = 8
"""Newest lines that keep their curves."""

_CURVES = ("curves", "groups")


@dataclass(frozen=True)
class OldLines:
    """A thinner that leaves out lines that are older than a day, as `thin` does.

    Attributes:
        clock: Time in seconds since 1970.
    """

    clock: Callable[[], float]

    def __call__(self, lines: Sequence[bytes], target: int) -> Sequence[bytes]:
        """Returns the lines that stay."""
        before = self.clock() - WHOLE_S
        return thin(lines, lambda line: is_before(line, before), target)


def sparse_curves(lines: Sequence[bytes], target: int) -> Sequence[bytes]:
    """Takes the curves out of old lines: each second, fourth, and so on keeps them.

    So they stay for evaluations from the whole run, and every line stays with its scores.

    Args:
        lines: Lines of `monitor/evaluations.jsonl`, the oldest first, all that there ever were.
        target: Bytes that the result has at most, if the scores and the curves of the newest lines
            alone do not have more.
    """
    old = lines[:-NEWEST]
    bare = [_without_curves(line) for line in old]
    kept, step = list(lines), 1
    while sum(map(len, kept)) > target and step < 2 * len(old):
        step *= 2
        kept = [line if i % step == 0 else bare[i] for i, line in enumerate(old)]
        kept += lines[-NEWEST:]
    return kept


def _without_curves(line: bytes) -> bytes:
    try:
        record = json.loads(line)
        return to_line({**record, **{part: {} for part in _CURVES}})
    except (ValueError, TypeError):
        return line
