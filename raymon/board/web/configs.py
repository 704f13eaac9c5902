"""In which fields of their configs the runs of the table differ."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from raymon.config import CONFIG_FILE
from raymon.runs import ConfigFields, Run, field_differences, fields_of
from raymon.storage import read_file

_SOON_S = 0.25
"""Seconds that an answer waits for configs; it is given without those that take longer."""

_MOST_KEPT = 4000
_MOST_FIELDS = 100


class Configs:
    """The configs of runs, each read once as long as it does not change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._kept: dict[str, tuple[int, ConfigFields]] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Number that grows when configs were read that an answer did not have."""
        return self._version

    def differing(self, paths: Mapping[str, str]) -> Mapping[str, Mapping[str, str | None]]:
        """Returns the fields in which runs differ, by id.

        Of many runs that are new these are none at first, and the version grows once they are
        known.

        Args:
            paths: Directories of the runs, by id.
        """
        began = time.monotonic()
        late = list[str]()
        found = dict[str, ConfigFields]()
        for run_id, path in paths.items():
            fields = self._known(path)
            if fields is None and time.monotonic() - began < _SOON_S:
                fields = self._read(path)
            if fields is None:
                late.append(path)
            else:
                found[run_id] = fields
        if late:
            self._read_on_the_side(late)
            return {}
        told = [run_id for run_id, fields in found.items() if fields.values]
        differences = field_differences([found[run_id] for run_id in told])[:_MOST_FIELDS]
        return {
            run_id: {each.field: each.values[place] for each in differences}
            for place, run_id in enumerate(told)
        }

    def _known(self, path: str) -> ConfigFields | None:
        kept = self._kept.get(path)
        return kept[1] if kept is not None and kept[0] == _changed(path) else None

    def _read(self, path: str) -> ConfigFields:
        changed = _changed(path)
        fields = fields_of(_text(path))
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[path] = changed, fields
        return fields

    def _read_on_the_side(self, paths: Sequence[str]) -> None:
        def read() -> None:
            try:
                for path in paths:
                    self._read(path)
                self._version += 1
            finally:
                self._reading.release()

        if self._reading.acquire(blocking=False):
            threading.Thread(target=read, name="configs", daemon=True).start()


def _changed(path: str) -> int:
    """Returns when a config was last written; 0 where that is not known, as on object storage."""
    try:
        return os.stat(f"{path}/{CONFIG_FILE}").st_mtime_ns
    except (OSError, ValueError):
        return 0


def _text(path: str) -> str | None:
    if "://" in path:
        return Run(path).config_text
    try:
        return read_file(Path(path) / CONFIG_FILE).decode(errors="replace")
    except (OSError, ValueError):
        return None
