"""Keeps the files that say where a run is up to date, on a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from raymon.errors import reason
from raymon.reporter.live.live_file import LiveFile
from raymon.reporter.progress import Progress
from raymon.storage import StoragePath

_log = logging.getLogger("raymon")

_LOOK_S = 1.0
"""Seconds between two looks at what is new."""

_SUMMARY_S, _OBJECT_S = 5.0, 10.0
"""Seconds between two summaries, and between two writes of a file to object storage."""

_TIMES_COST = 50.0
"""Pause after something was written, in the seconds of processor time that this took."""

_JOIN_S = 1.0


class Upkeep:
    """A thread that writes `run.json` and `monitor/live.json` while a run goes on.

    What fails is counted, and is tried again. Neither training nor the progress line waits for it.

    Args:
        directory: Directory of the run.
        progress: Its progress.
        status: Function that returns where it is.
        write_summary: Function that writes `run.json`; after `close` it is not called again.

    Attributes:
        failure_reasons: Number of failures, by reason.
    """

    def __init__(
        self,
        directory: StoragePath,
        progress: Progress,
        status: Callable[[], Mapping[str, Any]],
        write_summary: Callable[[], None],
    ) -> None:
        self._progress = progress
        self._status = status
        self._write_summary = write_summary
        self._live = LiveFile(directory)
        is_local = isinstance(directory, Path)
        self._live_s = _LOOK_S if is_local else _OBJECT_S
        self._summary_s = _SUMMARY_S if is_local else _OBJECT_S
        self._events: int | None = None
        self._live_at = self._summary_at = 0.0
        self._over = threading.Event()
        # Held while a file is written, so that none is written after the end.
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="raymon-upkeep", daemon=True)
        self._process = os.getpid()
        self.failure_reasons: Counter[str] = Counter()

    def __enter__(self) -> Upkeep:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends it, and removes `monitor/live.json`; a second call does nothing."""
        # The copy in a forked process writes nothing.
        if os.getpid() != self._process or self._over.is_set():
            return
        self._over.set()
        # It may wait for a reporter on a cluster that is gone.
        self._thread.join(_JOIN_S)
        with self._lock:
            self._try("monitor/live.json is not removed", self._live.remove)

    def _work(self) -> None:
        while not self._over.is_set():
            self._look()
            self._over.wait(_LOOK_S)

    def _look(self) -> None:
        now, events = time.monotonic(), self._progress.events
        if events != self._events or now >= self._summary_at:
            self._events = events
            cost = self._write("run.json is not written", self._write_summary)
            self._summary_at = now + max(self._summary_s, _TIMES_COST * cost)
        if now >= self._live_at:
            cost = self._write("monitor/live.json is not written", self._write_live)
            # The next look is at the earliest a moment before this.
            self._live_at = now + max(self._live_s, _TIMES_COST * cost) - _LOOK_S / 2

    def _write(self, what: str, action: Callable[[], None]) -> float:
        """Returns the seconds of processor time that something took."""
        began = time.thread_time()
        self._try(what, action)
        return time.thread_time() - began

    def _write_live(self) -> None:
        # The reporter may take its time to answer, which must not hold up the end.
        status = self._status()
        with self._lock:
            if not self._over.is_set():
                self._live.write(status)

    def _try(self, what: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # whatever fails, the run goes on
            text = f"{what}: {reason(error)}"
            if text not in self.failure_reasons:
                _log.warning("monitoring: %s", text)
            self.failure_reasons[text] += 1
