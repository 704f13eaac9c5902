"""The checkpoints of a run, as their manifests say."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from raymon.errors import first_line, os_reason
from raymon.runs.columns import numbers_in
from raymon.runs.reading.line_numbers import parsed_line
from raymon.storage import StoragePath, read_file

_NAME = re.compile(r"model\.ckpt-(\d+)")
_MANIFEST = "manifest.json"
_TICK_NS = 2_000_000_000


@dataclass(frozen=True)
class CheckpointInfo:
    """What is known of a checkpoint without reading its tensors.

    Attributes:
        step: Step of the model.
        path: Its directory.
        metrics: Scores of the model by name; empty if it was not evaluated.
        size_bytes: Bytes of its files; None if they are not known.
        time: Seconds since 1970, UTC, at which it was complete; None if that is not known.
        is_best: Whether it is the best by the metric that the config names.
        is_complete: Whether it has a manifest: without one it is no checkpoint.
    """

    step: int
    path: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    size_bytes: int | None = None
    time: float | None = None
    is_best: bool = False
    is_complete: bool = True


class CheckpointReader:
    """The checkpoints in the directory of a run, each manifest read once.

    Args:
        model_dir: Directory of the run.

    Attributes:
        value: The checkpoints by step.
        begun: Whether they were asked for.
        error: Why they cannot be read, in a line; None if they can.
    """

    def __init__(self, model_dir: StoragePath) -> None:
        self.value: tuple[CheckpointInfo, ...] = ()
        self.begun = False
        self.error: str | None = None
        self._model_dir = model_dir
        # What was found of each directory, and when its manifest was written.
        self._known: dict[str, tuple[Any, Mapping[str, Any], float | None]] = {}
        self._listed: int | None = None
        self._names: list[str] = []

    def begin(self, best: Any) -> None:
        """Reads the checkpoints for the first time; a second call does nothing.

        Args:
            best: Path of the best checkpoint, as `run.json` has it; None if there is none.
        """
        if not self.begun:
            self._read(best)
            # Last, because other threads look at it without waiting.
            self.begun = True

    def refresh(self, best: Any) -> bool:
        """Reads the checkpoints that are new, if they were asked for; returns whether any is.

        Args:
            best: Path of the best checkpoint, as `run.json` has it; None if there is none.
        """
        return self.begun and self._read(best)

    def _read(self, best: Any) -> bool:
        try:
            self._list()
            known = {name: self._manifest(name) for name in self._names}
        except (OSError, pa.ArrowException) as error:
            self.error = os_reason(error) if isinstance(error, OSError) else first_line(error)
            return False
        self.error, self._known = None, known
        # A run that was moved has another path than it says.
        best_name = str(best).rstrip("/").rpartition("/")[2] if best else None
        found = tuple(
            sorted(
                (self._info(name, *known[name][1:], name == best_name) for name in self._names),
                key=lambda each: each.step,
            )
        )
        was, self.value = self.value, found
        return found != was

    def _list(self) -> None:
        changed = None
        if isinstance(self._model_dir, Path):
            changed = os.stat(self._model_dir).st_mtime_ns
            if changed == self._listed:
                return
        found = self._model_dir.iterdir()
        self._names = [path.name for path in found if _NAME.fullmatch(path.name)]
        # Clocks of file systems tick slowly: what changes right after the list has the same time.
        is_over = changed is not None and time.time_ns() - changed > _TICK_NS
        self._listed = changed if is_over else None

    def _manifest(self, name: str) -> tuple[Any, Mapping[str, Any], float | None]:
        path = self._model_dir / name / _MANIFEST
        known = self._known.get(name)
        if isinstance(path, Path):
            try:
                stat = os.stat(path)
            except (FileNotFoundError, NotADirectoryError):
                return None, {}, None
            state: Any = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            when: float | None = stat.st_mtime
        else:
            state = path.parent.states().get(_MANIFEST)
            if state is None:
                return None, {}, None
            when = state[1] / 1e9 or None
        if known is not None and known[0] == state:
            return known
        return state, parsed_line(read_file(path)) or {}, when

    def _info(
        self, name: str, manifest: Mapping[str, Any], when: float | None, is_best: bool
    ) -> CheckpointInfo:
        match = _NAME.fullmatch(name)
        assert match is not None
        return CheckpointInfo(
            step=int(match[1]),
            path=str(self._model_dir / name),
            metrics=dict(numbers_in(manifest.get("metrics") or {})),
            size_bytes=_bytes(manifest.get("files")),
            time=when,
            is_best=is_best,
            is_complete=bool(manifest),
        )


def _bytes(files: Any) -> int | None:
    if not isinstance(files, Mapping):
        return None
    sizes = [each.get("size") for each in files.values() if isinstance(each, Mapping)]
    known = [size for size in sizes if isinstance(size, int)]
    return sum(known) if known else None
