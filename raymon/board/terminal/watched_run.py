"""A run that is looked at again and again, at little cost."""

from __future__ import annotations

import time
from contextlib import suppress

from raymon.board.terminal.frame import frame_of
from raymon.board.terminal.harmless import harmless
from raymon.diagnosis import Verdict
from raymon.errors import RunError, UserError
from raymon.runs import Run

_SHARE = 0.01
"""Share of the time that looking at a run may take, and making its verdict."""

_LONGEST_PAUSE_S = 15.0


class WatchedRun:
    """A run, and what a frame shows of it.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._verdict: Verdict | None = None
        self._verdict_at = -float("inf")
        self._judged: object = None
        self._pause_s = 0.0
        self.frame = frame_of(run)
        self._judge()

    def next_s(self, interval_s: float) -> float:
        """Returns the seconds to wait until looking again, so that it takes little of a core.

        Args:
            interval_s: What is wanted. While a large run is still being read it is 0.
        """
        return max(interval_s, self._pause_s) if self._run.is_whole else 0.0

    def look(self) -> bool:
        """Reads what is new; returns whether `frame` is another one.

        Raises:
            RunError: The run is gone, or cannot be read.
        """
        began = time.thread_time()
        is_changed = self._run.refresh()
        if self._run.is_gone:
            raise RunError(f"{harmless(self._run.path)}: it was removed while it was watched")
        if is_changed:
            self.frame = frame_of(self._run, self._verdict)
        self._pause_s = min((time.thread_time() - began) / _SHARE, _LONGEST_PAUSE_S)
        return self._judge() or is_changed

    def _judge(self) -> bool:
        """Makes the verdict anew if it is time; returns whether `frame` is another one by that."""
        now, frame = time.monotonic(), self.frame
        known = (frame.status, frame.step, len(frame.alerts))
        if known == self._judged or (frame.goes_on and now < self._verdict_at):
            return False
        self._judged = known
        began = time.thread_time()
        with suppress(UserError):
            self._verdict = self._run.verdict()
        self._verdict_at = now + (time.thread_time() - began) / _SHARE
        self.frame = frame_of(self._run, self._verdict)
        return True
