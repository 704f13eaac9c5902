"""How lines are made fewer, or shorter, when they are too many."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from raymon.sinks.json_lines.json_line import is_before, to_line
from raymon.sinks.thinning import WHOLE_S, thin

Thinner = Callable[[Sequence[bytes], int], Sequence[bytes]]
"""Given all lines, the oldest first, and a number of bytes, returns lines of about so many."""

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


def every_other_curves(lines: Sequence[bytes], target: int) -> Sequence[bytes]:
    """Takes the curves out of every other line that has them, until the rest is small enough.

    So they stay for evaluations from the whole run, the newest one among them, and every line stays
    with its scores.

    Args:
        lines: Lines of `monitor/evaluations.jsonl`, the oldest first.
        target: Bytes that the result has at most, if the scores alone do not have more.
    """
    kept, size = list(lines), sum(map(len, lines))
    drawn = [i for i, line in enumerate(kept) if _has_curves(line)]
    while size > target and len(drawn) > 1:
        # Counted from the end, so that the newest keeps its own.
        for i in drawn[-2::-2]:
            before = len(kept[i])
            kept[i] = to_line({**json.loads(kept[i]), **{part: {} for part in _CURVES}})
            size += len(kept[i]) - before
        drawn = drawn[::-1][::2][::-1]
    return kept


def _has_curves(line: bytes) -> bool:
    try:
        record = json.loads(line)
        return any(record.get(part) for part in _CURVES)
    except (ValueError, AttributeError):
        return False
