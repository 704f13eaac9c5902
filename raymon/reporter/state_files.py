"""The reporter's state at each checkpoint, beside the run.

It is in `monitor/` and not in the checkpoint itself, because a save that had to collect it would
wait for the reporter.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from raymon.protos.report_pb2 import ReporterState

_NAME = re.compile(r"state-(\d+)\.pb")


class StateFiles:
    """Files `monitor/state-{step}.pb` of a run.

    Args:
        model_dir: Directory of the run.
    """

    def __init__(self, model_dir: Path) -> None:
        self._model_dir = model_dir
        self._directory = model_dir / "monitor"

    def write(self, state: ReporterState) -> None:
        """Writes the state whole or not at all, and removes those whose checkpoint is gone."""
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._path(state.end_step)
        draft = path.with_suffix(".new")
        draft.write_bytes(state.SerializeToString())
        os.replace(draft, path)
        for step in self._steps():
            if step < state.end_step and not (self._model_dir / f"model.ckpt-{step}").exists():
                self._path(step).unlink(missing_ok=True)

    def read(self, step: int) -> ReporterState | None:
        """The state as of the end of `step` steps, if it was written."""
        try:
            return ReporterState.FromString(self._path(step).read_bytes())
        except FileNotFoundError:
            return None

    def _path(self, step: int) -> Path:
        return self._directory / f"state-{step}.pb"

    def _steps(self) -> list[int]:
        names = (_NAME.fullmatch(entry.name) for entry in self._directory.iterdir())
        return sorted(int(name[1]) for name in names if name)
