"""A run that is looked at again and again, at little cost."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

from raymon.board.terminal.frame import Frame, frame_of
from raymon.board.terminal.harmless import harmless
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
        self._verdict = ""
        self._verdict_at = -float("inf")
        self._judged: object = None
        self._pause_s = 0.0
        frame = frame_of(run)
        self.frame = replace(frame, verdict=self._verdict_of(frame))

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
        frame = frame_of(self._run) if is_changed else self.frame
        self._pause_s = min((time.thread_time() - began) / _SHARE, _LONGEST_PAUSE_S)
        verdict = self._verdict_of(frame)
        is_changed = is_changed or verdict != frame.verdict
        self.frame = replace(frame, verdict=verdict)
        return is_changed

    def _verdict_of(self, frame: Frame) -> str:
        """Returns the verdict, which is made anew now and then, if the run has changed."""
        now = time.monotonic()
        known = (frame.status, frame.step, len(frame.alerts))
        if known == self._judged or (frame.goes_on and now < self._verdict_at):
            return self._verdict
        self._judged = known
        began = time.thread_time()
        with suppress(UserError):
            self._verdict = self._run.verdict().short
        self._verdict_at = now + (time.thread_time() - began) / _SHARE
        return self._verdict
