"""The response to a hang: stacks into files and the log, and the end of the rank if asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from raymon.errors import reason
from raymon.results import HANG, Alert, Evaluation, RankState, Snapshot
from raymon.storage import StoragePath
from raymon.training.rank.stack_lines import telling_lines
from raymon.training.rank.stacks import StackDump

STACKS = "monitor/stacks"
"""Directory for stacks in the directory of a run, with one file for each rank and hang."""

_MOST_HANGS = 100
"""Hangs of a session whose stacks are written: one that comes and goes must not fill the disk."""

TakeStacks = Callable[[str, int], StackDump]
"""Takes the stacks of a process, given its node and its id."""

EndRank = Callable[[RankState, str], str | None]
"""Ends a rank, given why; returns why it could not be done, None if it was."""


class HangResponse:
    """A sink of alerts that responds to hangs; each on a thread of its own.

    Args:
        model_dir: Directory of the run.
        ranks: Function that returns what is known of each rank.
        take: Takes the stacks of a process.
        tell: Function that shows a line to those who watch the run.
        end: Ends a rank that hangs; None to leave it.
        end_after_s: Seconds after the alert for which the hang has to go on before that.

    Attributes:
        ended: The alert of the last hang whose rank was ended; None if there is none.
    """

    def __init__(
        self,
        model_dir: StoragePath,
        ranks: Callable[[], Sequence[RankState]],
        take: TakeStacks,
        tell: Callable[[str], object],
        end: EndRank | None = None,
        end_after_s: float = 0.0,
    ) -> None:
        self._model_dir = model_dir
        self._ranks = ranks
        self._take = take
        self._tell = tell
        self._end = end
        self._end_after_s = end_after_s
        self._over = threading.Event()
        self._hangs = 0
        self.ended: Alert | None = None

    def write(self, snapshot: Snapshot) -> None:
        """Does nothing."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Does nothing."""

    def write_alert(self, alert: Alert) -> None:
        """Begins to respond to a hang, or stops when that is over."""
        if alert.finding.kind != HANG:
            return
        self._over.set()
        if not alert.is_over and self._hangs < _MOST_HANGS:
            self._hangs += 1
            self._over = threading.Event()
            threading.Thread(
                target=self._respond, args=(alert, self._over), name="raymon-hang", daemon=True
            ).start()

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Does nothing."""

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Ends no rank any more."""
        self._over.set()

    def _respond(self, alert: Alert, over: threading.Event) -> None:
        began = time.monotonic()
        try:
            ranks = list(self._ranks())
        except Exception as error:  # the reporter may be gone
            self._tell(f"No stacks of a rank that hangs: {reason(error)}")
            return
        for rank in _worth_a_look(alert, ranks):
            self._write_stacks(alert, rank)
        if self._end is None:
            return
        if over.wait(max(0.0, self._end_after_s - (time.monotonic() - began))):
            return
        first = [rank for rank in ranks if rank.rank == (alert.finding.rank or 0)]
        if first and self._is_there(first[0]):
            self._end_rank(alert, first[0])

    def _is_there(self, rank: RankState) -> bool:
        """Returns whether a rank is in the same process still, as far as is known."""
        try:
            return any(other.pid == rank.pid for other in self._ranks() if other.rank == rank.rank)
        except Exception:  # the reporter is restarted, and the rank hangs all the same
            return True

    def _write_stacks(self, alert: Alert, rank: RankState) -> None:
        dump = self._take(rank.node_id, rank.pid)
        if not dump.way:
            self._tell(f"No stacks of rank {rank.rank}: {dump.text}")
            return
        step = alert.finding.first_step or 0
        name = f"attempt-{alert.attempt}-step-{step}-rank-{rank.rank}.txt"
        head = (
            f"{alert.finding.text}\n"
            f"rank {rank.rank}: process {rank.pid} on {rank.host}, taken by {dump.way} at "
            f"{datetime.now():%Y-%m-%d %H:%M:%S}\n\n"
        )
        path = self._model_dir / STACKS / name
        where = f"all of them: {path}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((head + dump.text).encode())
        except Exception as error:  # on a disk and on object storage
            where = f"not written to {path}: {reason(error)}"
        lines = "; ".join(telling_lines(dump.text))
        self._tell(f"Stacks of rank {rank.rank}: {lines + '; ' if lines else ''}{where}")

    def _end_rank(self, alert: Alert, rank: RankState) -> None:
        who = f"rank {rank.rank} ({rank.host}, pid {rank.pid})"
        self.ended = alert
        self._tell(f"on_hang is FAIL: {who} is ended")
        why = self._end(rank, alert.finding.text) if self._end is not None else None
        if why is not None:
            self.ended = None
            self._tell(f"{who} hangs, and could not be ended: {why}")


def _worth_a_look(alert: Alert, ranks: Sequence[RankState]) -> list[RankState]:
    """Returns the rank that hangs and one that waits; two of them if all hang."""
    named = alert.finding.rank
    known = [rank for rank in ranks if rank.pid and not rank.ended]
    first = [rank for rank in known if rank.rank == named]
    others = sorted((r for r in known if r.rank != named), key=lambda rank: -rank.phase_s)
    return [*first, *others][:2]
