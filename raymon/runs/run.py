"""A run as its directory has it, going on or over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from raymon.config import CONFIG_FILE
from raymon.diagnosis import Verdict
from raymon.errors import RunError
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.results import Alert
from raymon.runs.attempts import Attempt, attempts_of
from raymon.runs.checkpoints import CheckpointInfo
from raymon.runs.columns import Columns
from raymon.runs.explanation import explain_run
from raymon.runs.logs import LogLine, log_files, log_tail
from raymon.runs.marks import Mark, marks_of
from raymon.runs.rank_line import RankLine
from raymon.runs.reading.followed import Followed
from raymon.runs.reading.last_lines import last_lines
from raymon.runs.reading.line_numbers import parsed_line
from raymon.runs.run_config import read_config
from raymon.runs.run_file import RUN_FILE, RUNNING, STARTING
from raymon.runs.run_files import RunFiles
from raymon.runs.run_html import charts_html, summary_html
from raymon.runs.tables import alert_table, checkpoint_table, rank_table, table_of_columns
from raymon.storage import ObjectPath, StoragePath, absolute, read_file, storage_path

Value = TypeVar("Value")


class Run:
    """A run, read from its directory while it goes on or when it is over.

    Nothing is written there, and a file is read when it is first asked for. What was read stays as
    it is until `refresh`, which reads only what is new. A thread may refresh while others read:
    whatever they get does not change any more, and is replaced as a whole.

    What cannot be read, and a run of a newer version, is said in `notes`; the rest is there. After
    the constructor only `verdict` and `log_tail` raise because of what is in the directory, or
    because it is gone.

    Args:
        path: Directory of the run, or its URI.
        quick: Whether large files, of `series` and `rank_lines`, are read in slices: at first there
            are 1,000 windows and 100 lines of ranks, evenly spaced, the newest among them. Each
            `refresh` then reads for about 0.1 s, until `is_whole`; a thread that calls it lets
            others go on meanwhile.

    Attributes:
        path: Directory of the run.
        version: Number that grows whenever something has changed.

    Raises:
        RunError: It is not the directory of a run, or cannot be read.
    """

    def __init__(self, path: str | PathLike[str] | ObjectPath, *, quick: bool = False) -> None:
        self.path: StoragePath = absolute(storage_path(path))
        self.version = 1
        self._lock = threading.RLock()
        self._files = RunFiles(self.path, quick)
        self._made: dict[str, tuple[int, Any]] = {}
        if not self._files.is_there():
            raise RunError(
                f"{self.path}: not the directory of a run: it has neither {RUN_FILE} nor "
                "monitor/windows.jsonl; give its model_dir"
            )

    def refresh(self) -> bool:
        """Reads what is new; returns whether anything has changed.

        With nothing new it takes a dozen looks at files, or as many requests to object storage.
        """
        with self._lock:
            changed = self._files.refresh()
            self.version += changed
            return changed

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for so far is there, or cannot be read; see `quick`."""
        return self._files.is_whole

    @property
    def is_gone(self) -> bool:
        """Whether the directory has been deleted since. What was read of it stays."""
        return self._files.is_gone

    @property
    def notes(self) -> list[str]:
        """What of the run cannot be read, or is of a newer version, each in a line."""
        self._begun()
        return self._files.notes

    @property
    def name(self) -> str:
        """Name of the directory."""
        return self.path.name

    @property
    def status(self) -> str:
        """How the run is: as its summary says, but "killed" if its process is gone."""
        return self._begun()

    @property
    def goes_on(self) -> bool:
        """Whether the run starts or runs."""
        return self._begun() in (STARTING, RUNNING)

    @property
    def summary(self) -> Mapping[str, Any]:
        """The content of `run.json`, fields of newer versions too; empty if there is none."""
        self._begun()
        return self._files.summary.value

    @property
    def live(self) -> Mapping[str, Any] | None:
        """The content of `monitor/live.json`, which a run has while it goes on."""
        return (self._files.live.value or None) if self.goes_on else None

    @property
    def series(self) -> Columns:
        """The numbers of the windows."""
        return self._value_of(self._files.windows)

    def newest_windows(self, count: int) -> Columns:
        """Returns the numbers of the last windows, without reading all of a large file for them.

        Args:
            count: Number of windows.
        """
        path = self.path / "monitor" / "windows.jsonl"
        if isinstance(path, Path) and not (
            self._files.windows.begun and self._files.windows.is_whole
        ):
            try:
                lines = [parsed_line(line) for line in last_lines(path, count + 1)]
            except OSError:
                # What is wrong with it is said in `notes` once it is read.
                return Columns()
            return Columns.of_lines([line for line in lines if line is not None][-count:])
        series = self.series
        return series.taken(np.arange(max(0, len(series) - count), len(series)))

    @property
    def evaluation_records(self) -> Sequence[Mapping[str, Any]]:
        """The lines of `monitor/evaluations.jsonl`: of each step the last one, by step.

        They are parsed whenever they are asked for, because their curves take much memory.
        """
        with self._lock:
            return self._files.evaluations.records

    @property
    def evaluation_series(self) -> Columns:
        """The scores of the evaluations by step, in columns as `metrics.auc`, `metric_bounds.auc`.

        Those of evaluations that `evaluations.jsonl` does not have are from
        `train_eval_result_v2.txt`, which has no times and bounds. The last line of a step counts.
        """
        with self._lock:
            return self._files.evaluations.columns

    @property
    def rank_lines(self) -> Sequence[RankLine]:
        """The numbers of single ranks: 64 MiB of them, the older lines thinned."""
        return self._value_of(self._files.ranks)

    @property
    def alert_list(self) -> Sequence[Alert]:
        """The alerts, in order."""
        return self._value_of(self._files.alerts)

    @property
    def checkpoints(self) -> Sequence[CheckpointInfo]:
        """The checkpoints, by step."""
        checkpoints = self._files.checkpoints
        if not checkpoints.begun:
            with self._lock:
                checkpoints.begin(self.summary.get("best_checkpoint"))
        return checkpoints.value

    @property
    def attempts(self) -> Sequence[Attempt]:
        """The attempts, by number."""
        return attempts_of(self.summary.get("attempts"))

    @property
    def marks(self) -> Sequence[Mark]:
        """What happened, by step."""
        with self._lock:
            found: Sequence[Mark] = self._once(
                "marks",
                lambda: marks_of(
                    self.series,
                    self.attempts,
                    self.checkpoints,
                    self.alert_list,
                    self.evaluation_series,
                ),
            )
            return found

    @property
    def config_text(self) -> str | None:
        """The config as it ran; None if there is none."""
        try:
            return read_file(self.path / CONFIG_FILE).decode(errors="replace")
        except (OSError, pa.ArrowException):
            return None

    @property
    def config(self) -> PipelineConfig | None:
        """The config as it ran; None if there is none, or one that this raymon cannot read."""
        return read_config(self.config_text)

    def log_files(self) -> list[str]:
        """Returns the names of the log files in `logs/`."""
        return log_files(self.path)

    def log_tail(self, name: str, lines: int = 500) -> list[LogLine]:
        """Returns the last lines of a log file.

        Args:
            name: Name of the file, one of `log_files()`.
            lines: Number of lines.

        Raises:
            RunError: There is no log file of that name.
        """
        return log_tail(self.path, name, lines)

    def verdict(self) -> Verdict:
        """Returns why the run is slow, or how it ended.

        Raises:
            RunError: The directory cannot be read any more.
        """
        with self._lock:
            found: Verdict = self._once("verdict", lambda: explain_run(self.path))
            return found

    def windows(self) -> pa.Table:
        """Returns the windows as a table, with the columns of `series`."""
        return table_of_columns(self.series)

    def evaluations(self) -> pa.Table:
        """Returns the evaluations as a table, with the columns of `evaluation_series`."""
        return table_of_columns(self.evaluation_series)

    def alerts(self) -> pa.Table:
        """Returns the alerts as a table."""
        return alert_table(self.alert_list)

    def ranks(self) -> pa.Table:
        """Returns the numbers of single ranks as a table: a row for each rank of each line."""
        return rank_table(self.rank_lines)

    def checkpoint_table(self) -> pa.Table:
        """Returns the checkpoints as a table, with their scores."""
        return checkpoint_table(self.checkpoints)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.status})"

    def _repr_html_(self) -> str:
        """Returns what a notebook shows of the run."""
        known = {**self.summary, "model_dir": str(self.path), "status": self.status}
        return summary_html(known, charts_html(self.series, self.evaluation_series))

    def _begun(self) -> str:
        """Reads the summary, if it was not read yet; returns the status."""
        known = self._files.status
        if known is None:
            with self._lock:
                known = self._files.begin()
        return known

    def _value_of(self, followed: Followed[Value]) -> Value:
        if not followed.begun:
            with self._lock:
                followed.begin()
        return followed.value

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """Returns what is made of the run, made again only if it has changed."""
        made = self._made.get(name)
        if made is None or made[0] != self.version:
            made = self._made[name] = self.version, make()
        return made[1]
