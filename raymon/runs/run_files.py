"""The files of a run, followed while they change."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from raymon.errors import RunError, first_line
from raymon.results import Alert
from raymon.runs.checkpoints import CheckpointReader
from raymon.runs.columns import Columns
from raymon.runs.rank_line import RankLine
from raymon.runs.reading.alert_builder import AlertBuilder
from raymon.runs.reading.column_builder import ColumnBuilder
from raymon.runs.reading.evaluations import EVALUATIONS_FILE, Evaluations
from raymon.runs.reading.followed import Followed
from raymon.runs.reading.json_file import JsonFile
from raymon.runs.reading.rank_builder import RankBuilder
from raymon.runs.run_file import RUN_FILE, newer_version
from raymon.runs.run_status import StatusReader
from raymon.storage import StoragePath
from raymon.version import __version__

_SLICE_S = 0.1
_WINDOWS_AT_FIRST = 1_000
_RANK_LINES_AT_FIRST = 100


class RunFiles:
    """The files of a run, each read when it is first asked for, and from then on where it is new.

    Args:
        path: Directory of the run.
        quick: Whether large files are read in slices, after a preview; see `Run`.

    Attributes:
        summary: `run.json`.
        live: `monitor/live.json`.
        windows, ranks, alerts, evaluations: Lines of the files in `monitor/`.
        checkpoints: Checkpoints, whose `begun` is whether they were asked for.
        is_gone: Whether the directory was deleted.
    """

    def __init__(self, path: StoragePath, quick: bool) -> None:
        monitor = path / "monitor"
        self.summary = JsonFile(path / RUN_FILE)
        self.live = JsonFile(monitor / "live.json")
        self.windows: Followed[Columns] = Followed(
            monitor / "windows.jsonl",
            ColumnBuilder(),
            ColumnBuilder() if quick else None,
            _WINDOWS_AT_FIRST,
        )
        self.ranks: Followed[Sequence[RankLine]] = Followed(
            monitor / "ranks.jsonl",
            RankBuilder(),
            RankBuilder() if quick else None,
            _RANK_LINES_AT_FIRST,
        )
        self.alerts: Followed[Sequence[Alert]] = Followed(monitor / "alerts.jsonl", AlertBuilder())
        self.evaluations = Evaluations(path)
        self.checkpoints = CheckpointReader(path)
        self.is_gone = False
        self._path = path
        self._slice_s = _SLICE_S if quick else None
        self._status_reader = StatusReader(path)
        # None before anything was read, which for a list of 10,000 runs is not at once.
        self._status: str | None = None
        self._error: str | None = None

    def is_there(self) -> bool:
        """Returns whether the directory is that of a run.

        Raises:
            RunError: It cannot be read.
        """
        try:
            has_summary = (self._path / RUN_FILE).is_file()
            return has_summary or (self._path / "monitor" / "windows.jsonl").exists()
        except (OSError, ValueError, pa.ArrowException) as error:
            raise RunError(f"{self._path}: cannot be read: {first_line(error)}") from None

    def begin(self) -> str:
        """Reads the summary, if it was not read yet; returns the status."""
        if self._status is None:
            self.summary.refresh()
            self.live.refresh()
            self._status = self._status_reader.status(self.summary.value)
        return self._status

    @property
    def status(self) -> str | None:
        """Status of the run; None if its summary was not read yet."""
        return self._status

    def refresh(self) -> bool:
        """Reads what is new; returns whether anything has changed."""
        was_gone, self._error = self.is_gone, None
        try:
            self.is_gone = not self.is_there()
        except RunError as error:
            # Storage that does not answer has lost nothing.
            self._error = str(error)
            return False
        if self.is_gone:
            return not was_gone
        before = self.begin()
        changed = [
            was_gone,
            self.summary.refresh(),
            self.live.refresh(),
            self.windows.refresh(self._slice_s),
            self.ranks.refresh(self._slice_s),
            self.alerts.refresh(),
            self.evaluations.refresh(),
            self.checkpoints.refresh(self.summary.value.get("best_checkpoint")),
        ]
        self._status = self._status_reader.status(self.summary.value)
        return any(changed) or self._status != before

    @property
    def is_whole(self) -> bool:
        """Whether all lines of what was asked for so far are there, or can not be read."""
        asked = [each for each in (self.windows, self.ranks) if each.begun]
        return all(each.is_whole or each.error is not None for each in asked)

    @property
    def notes(self) -> list[str]:
        """What cannot be read, or is of a newer version, each in a line."""
        files = (
            (RUN_FILE, self.summary.error),
            ("monitor/live.json", self.live.error),
            ("monitor/windows.jsonl", self.windows.error),
            ("monitor/ranks.jsonl", self.ranks.error),
            ("monitor/alerts.jsonl", self.alerts.error),
            (f"monitor/{EVALUATIONS_FILE}", self.evaluations.error),
            ("checkpoints", self.checkpoints.error),
        )
        notes = [f"{name}: {error}" for name, error in files if error]
        newer = newer_version(self.summary.value)
        if newer is not None:
            notes.append(
                f"the run is of raymon {newer}, and this is {__version__}: a newer one shows more"
            )
        gone = ["the directory is gone"] if self.is_gone else []
        return [*([self._error] if self._error else gone), *notes]
