"""A run as its directory has it, going on or over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from os import PathLike
from typing import Any

import pyarrow as pa

from raymon.config import CONFIG_FILE
from raymon.diagnosis import Verdict
from raymon.errors import RunError, first_line
from raymon.results import Alert
from raymon.run_dir import read_lease
from raymon.runs.attempts import Attempt
from raymon.runs.checkpoints import CheckpointInfo, list_checkpoint_infos
from raymon.runs.columns import Columns
from raymon.runs.explanation import explain_run
from raymon.runs.marks import Mark
from raymon.runs.rank_line import RankLine
from raymon.runs.run_file import KILLED, RUN_FILE, RUNNING, UNKNOWN
from raymon.sinks import SCORES_FILE, read_alerts, read_lines
from raymon.storage import StoragePath, absolute, storage_path

_EVALUATIONS = "evaluations.jsonl"


class Run:
    """A run, read from its directory while it goes on or when it is over.

    Nothing is written there. What was read stays as it is until `refresh`.

    Args:
        path: Directory of the run, or its URI.

    Attributes:
        path: Directory of the run.

    Raises:
        RunError: It is not the directory of a run, or cannot be read.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path: StoragePath = absolute(storage_path(path))
        try:
            is_run = (self.path / RUN_FILE).is_file() or (self._monitor / "windows.jsonl").exists()
        except (OSError, pa.ArrowException) as error:
            raise RunError(f"{self.path}: cannot be read: {first_line(error)}") from None
        if not is_run:
            raise RunError(
                f"{self.path}: not the directory of a run: it has neither {RUN_FILE} nor "
                "monitor/windows.jsonl; give its model_dir"
            )

    def refresh(self) -> bool:
        """Reads what is new; returns whether anything is."""
        for name in ("summary", "live", "series", "evaluation_records", "rank_lines", "alert_list",
                     "checkpoints", "evaluation_series"):  # fmt: skip
            self.__dict__.pop(name, None)
        return True

    @property
    def name(self) -> str:
        """Name of the directory."""
        return self.path.name

    @property
    def status(self) -> str:
        """How the run is: as its summary says, but "killed" if its process is gone."""
        status = str(self.summary.get("status") or UNKNOWN)
        if status != RUNNING:
            return status
        lease = read_lease(self.path)
        return KILLED if lease is None or lease.is_over else RUNNING

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """The content of `run.json`; empty if there is none."""
        return self._object(self.path / RUN_FILE)

    @cached_property
    def live(self) -> Mapping[str, Any] | None:
        """The content of `monitor/live.json`, which a run has while it goes on."""
        return self._object(self._monitor / "live.json") or None

    @cached_property
    def series(self) -> Columns:
        """The numbers of the windows."""
        return Columns(read_lines(self._monitor / "windows.jsonl"))

    @cached_property
    def evaluation_records(self) -> Sequence[Mapping[str, Any]]:
        """The lines of `monitor/evaluations.jsonl`."""
        return read_lines(self._monitor / _EVALUATIONS)

    @cached_property
    def evaluation_series(self) -> Columns:
        """The scores of the evaluations."""
        wanted = ("global_step", "time", "metrics", "metric_bounds")
        lines = [{k: line[k] for k in wanted if k in line} for line in self.evaluation_records]
        if not lines:
            scores = read_lines(self.path / SCORES_FILE)
            lines = [
                {
                    "global_step": line.get("global_step"),
                    "metrics": {k: v for k, v in line.items() if k != "global_step"},
                }
                for line in scores
            ]
        return Columns(lines)

    @cached_property
    def rank_lines(self) -> Sequence[RankLine]:
        """The numbers of single ranks."""
        found = []
        for line in read_lines(self._monitor / "ranks.jsonl"):
            with suppress(KeyError, TypeError, ValueError):
                found.append(RankLine.of_line(line))
        return found

    @cached_property
    def alert_list(self) -> Sequence[Alert]:
        """The alerts, in order."""
        return read_alerts(self.path)

    @cached_property
    def checkpoints(self) -> Sequence[CheckpointInfo]:
        """The checkpoints, by step."""
        return list_checkpoint_infos(self.path, self.summary.get("best_checkpoint"))

    @property
    def attempts(self) -> Sequence[Attempt]:
        """The attempts, by number."""
        found = []
        for each in self.summary.get("attempts") or ():
            with suppress(TypeError):
                found.append(Attempt(**each))
        return found

    @property
    def marks(self) -> Sequence[Mark]:
        """What happened, by step."""
        marks = [
            Mark("checkpoint", each.step, each.time, f"checkpoint at step {each.step:,}")
            for each in self.checkpoints
        ]
        return sorted(marks, key=lambda mark: mark.step)

    @property
    def config_text(self) -> str | None:
        """The config as it ran; None if there is none."""
        try:
            return (self.path / CONFIG_FILE).read_text()
        except OSError:
            return None

    def verdict(self) -> Verdict:
        """Returns why the run is slow, or how it ended."""
        return explain_run(self.path)

    @property
    def _monitor(self) -> StoragePath:
        return self.path / "monitor"

    def _object(self, path: StoragePath) -> Mapping[str, Any]:
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
