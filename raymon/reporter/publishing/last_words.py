"""What a run said and measured last, for the file of its failure."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from raymon.results import (
    HOST_BYTES,
    Alert,
    AttemptBegan,
    AttemptFailed,
    Failure,
    Notice,
    Published,
    RankState,
    Snapshot,
)
from raymon.strict_json import to_json

_NOTICES = 50
_WINDOWS = 10


class LastWords:
    """The newest notices of a run, and the memory of its ranks over its newest windows.

    Args:
        wall_clock: Clock of seconds since 1970, UTC.
    """

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        self._wall_clock = wall_clock
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        self._memory: deque[tuple[int, dict[int, float]]] = deque(maxlen=_WINDOWS)
        self._last: Snapshot | None = None

    def hear(self, published: Published) -> None:
        """Keeps what was published, if it is for people."""
        if isinstance(published, Notice):
            self._note(logging.getLevelName(published.level), published.text)
        elif isinstance(published, Alert):
            self._note("OVER" if published.is_over else "ALERT", published.finding.text)
        elif isinstance(published, AttemptBegan):
            text = f"attempt {published.attempt} began, {published.world_size} ranks"
            self._note("INFO", f"{text}, from step {published.step}")
            self._memory.clear()
        elif isinstance(published, AttemptFailed):
            self._note("WARNING", f"attempt {published.attempt} failed: {published.text}")

    def see(self, snapshot: Snapshot) -> None:
        """Keeps a snapshot of all ranks."""
        self._last = snapshot
        numbers = snapshot.rank_numbers
        if numbers is not None:
            memory = dict(zip(numbers.ranks, numbers.column(HOST_BYTES).tolist(), strict=True))
            self._memory.append((snapshot.end_step, memory))

    def line(self, failure: Failure) -> str:
        """Returns the line of a failure, with the memory of a rank that was killed."""
        if not failure.killed or not self._memory:
            return failure.text
        # Where several were ended, the largest says most.
        last = self._memory[-1][1]
        rank = max(failure.killed, key=lambda rank: last.get(rank, 0.0))
        had = self._memory_of(rank)
        who = "it" if rank == failure.killed[0] else f"rank {rank}"
        return f"{failure.text}; {who} {had}" if had else failure.text

    def whole(self, failure: Failure, attempt: int, ranks: Sequence[RankState]) -> str:
        """Returns all that is known of a failure.

        Args:
            failure: The failure.
            attempt: Number of the attempt.
            ranks: What is known of its ranks.
        """
        parts = [
            f"Attempt {attempt} failed, {self._now('%Y-%m-%d %H:%M:%S')} UTC\n\n"
            f"{self.line(failure)}",
            failure.details.rstrip(),
            "Ranks, as they were heard last\n" + "\n".join(map(_rank_line, ranks)),
        ]
        if self._last is not None:
            numbers = to_json(self._last.to_json(), indent=1)
            steps = f"steps {self._last.first_step} to {self._last.end_step}"
            parts.append(f"Last window of all ranks, {steps}\n{numbers}")
        if self._memory:
            parts.append(
                "Memory of the ranks, MB, by step\n" + "\n".join(map(_memory_line, self._memory))
            )
        parts.append("Last notices, UTC\n" + "\n".join(self._notices or ["none"]))
        return "\n\n".join(parts) + "\n"

    def _memory_of(self, rank: int) -> str:
        found = [(step, memory[rank]) for step, memory in self._memory if memory.get(rank, 0) > 0]
        if not found:
            return ""
        (first, before), (last, now) = found[0], found[-1]
        text = f"had {_bytes(now)} of memory at step {last}"
        return text if first == last else f"{text} and {_bytes(before)} at step {first}"

    def _note(self, level: str, text: str) -> None:
        self._notices.append(f"{self._now('%H:%M:%S')} {level} {text}")

    def _now(self, form: str) -> str:
        return datetime.fromtimestamp(self._wall_clock(), UTC).strftime(form)


def _rank_line(rank: RankState) -> str:
    where = f" ({rank.host}, pid {rank.pid})" if rank.host else ""
    doing = f", in {rank.phase}" if rank.phase else ""
    return f"rank {rank.rank}{where}: step {rank.step}{doing}, {rank.heard_s:.1f} s ago"


def _memory_line(of_window: tuple[int, dict[int, float]]) -> str:
    step, memory = of_window
    listed = " ".join(f"{rank}:{size / 1e6:.0f}" for rank, size in sorted(memory.items()))
    return f"{step}: {listed}"


def _bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
