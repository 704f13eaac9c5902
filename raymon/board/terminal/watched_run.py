"""A run that is looked at again and again, at little cost."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

import pyarrow as pa

from raymon.board.terminal.frame import Frame, frame_of
from raymon.board.terminal.harmless import harmless
from raymon.errors import RunError, UserError, first_line
from raymon.runs import Run

_SHARE = 0.01
"""Share of the time that looking at a run may take."""


class WatchedRun:
    """A run, and what a frame shows of it.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._verdict = ""
        self._verdict_at = -float("inf")
        self._pause_s = 0.0
        self.frame = self._look()

    @property
    def pause_s(self) -> float:
        """Seconds to wait until looking again, so that it takes little of a core."""
        return self._pause_s

    def look(self) -> bool:
        """Reads what is new; returns whether `frame` is another one.

        Raises:
            RunError: The run is gone, or cannot be read.
        """
        began = time.thread_time()
        try:
            changed = self._run.refresh()
            if not self._run.path.exists():
                raise RunError(f"{harmless(self._run.path)}: it was removed while it was watched")
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from None
        if changed:
            self.frame = self._look()
        self._pause_s = (time.thread_time() - began) / _SHARE
        return changed

    def _look(self) -> Frame:
        try:
            frame = frame_of(self._run)
            return replace(frame, verdict=self._verdict_of(frame))
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from None

    def _verdict_of(self, frame: Frame) -> str:
        """Returns the verdict, which is made anew now and then while a run goes on."""
        now = time.monotonic()
        if frame.goes_on and now < self._verdict_at:
            return self._verdict
        began = time.thread_time()
        with suppress(UserError):
            self._verdict = self._run.verdict().short
        self._verdict_at = now + (time.thread_time() - began) / _SHARE
        return self._verdict

    def _unreadable(self, error: Exception) -> RunError:
        return RunError(f"{harmless(self._run.path)}: cannot be read: {first_line(error)}")
