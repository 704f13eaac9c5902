"""The file `monitor/live.json`: where a run is at this moment, for those who only look."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from raymon.storage import StoragePath, to_json, write_whole

LIVE_FILE = "live.json"
"""Name of the file, in `monitor/`."""

_AGES = frozenset(("heard_s", "phase_s", "beat_s", "age_s", "oldest_s", "stalled_s", "eta_s"))
"""Numbers of a status that change while nothing happens."""

_SAME_S = 5.0
"""Seconds for which a file is left in which only ages would change."""


class LiveFile:
    """The status of a run that goes on, in a file that is removed at its end.

    Args:
        directory: Directory of the run.
        clock: Clock of seconds since 1970, UTC.
    """

    def __init__(self, directory: StoragePath, clock: Callable[[], float] = time.time) -> None:
        self._path = directory / "monitor" / LIVE_FILE
        self._clock = clock
        self._written: Any = None
        self._written_at = 0.0

    def write(self, status: Mapping[str, Any]) -> bool:
        """Writes a status whole, unless only ages have changed since a moment ago.

        Returns:
            Whether it was written.

        Raises:
            OSError: It is not written.
        """
        now, known = self._clock(), _without_ages(status)
        if known == self._written and 0 <= now - self._written_at < _SAME_S:
            return False
        # Not durable: it says nothing after a power cut.
        write_whole(self._path, to_json({**status, "time": now}).encode(), durable=False)
        self._written, self._written_at = known, now
        return True

    def remove(self) -> None:
        """Removes the file.

        Raises:
            OSError: It is still there.
        """
        self._path.unlink(missing_ok=True)


def _without_ages(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_ages(v) for k, v in value.items() if k not in _AGES}
    if isinstance(value, list):
        return [_without_ages(each) for each in value]
    return value
