"""The interface of a check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from raymon.results import Finding, RankState, Snapshot


class Check(Protocol):
    """Looks for one kind of trouble, in the numbers of a run while it goes on.

    It has no clock and no threads of its own, and can be pickled.
    """

    def begin_attempt(self, step: int) -> None:
        """Takes note that workers begin at `step`: numbers of later steps are taken back."""

    def see(self, snapshot: Snapshot) -> None:
        """Takes the numbers of the steps that follow, of all ranks."""

    def findings(self, ranks: Sequence[RankState], now: float) -> list[Finding]:
        """Returns all that is wrong at this moment.

        Args:
            ranks: What is known of each rank.
            now: Monotonic time, in seconds.
        """


@runtime_checkable
class SlowCheck(Protocol):
    """A check that needs a while after a restart to find again what it had found.

    Attributes:
        kinds: Kinds of its findings.
        settle_s: Seconds that it needs.
    """

    kinds: tuple[str, ...]
    settle_s: float
