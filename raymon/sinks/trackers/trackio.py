"""The sink that writes to Trackio."""

from __future__ import annotations

import secrets
import time
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from raymon.results import CheckpointSaved, RunEnded
from raymon.sinks.trackers.checkpoints import LINK, NONE, check_log_checkpoints, remembered
from raymon.sinks.trackers.client import Memory, TrackerClient, redacted
from raymon.sinks.trackers.events import AlertLine, Event, Points, TrackedRun
from raymon.sinks.trackers.tracker_sink import TrackerSink


class Trackio(TrackerSink):
    """A sink that writes to a run of Trackio, into its database or to a server of it.

    Tags are those of TensorBoard, those of evaluations with `eval_val/` before them. A run that
    goes on is the same run of Trackio; steps that are made again after a restart are there twice,
    with another `attempt`. In a database no point is there twice for another reason.

    The token of a Space comes from the environment, `HF_TOKEN`, that of a server from
    `TRACKIO_WRITE_TOKEN`.

    Args:
        project: Name of the project.
        run_name: Name of the run; by default that of the directory of the run.
        group: Group of the run.
        directory: Directory of the database, on the machine of the reporter; by default what
            `TRACKIO_DIR` says, or that of Trackio.
        space_id: Hugging Face Space that it is sent to in place of a database, as `user/name`.
        server_url: Address of a server of Trackio that it is sent to in place of a database.
        log_checkpoints: `LINK` writes where the newest checkpoint is beside the points; `NONE` does
            not.
    """

    def __init__(
        self,
        *,
        project: str = "raymon",
        run_name: str = "",
        group: str = "",
        directory: str = "",
        space_id: str = "",
        server_url: str = "",
        log_checkpoints: str = "LINK",
    ) -> None:
        where = str(Path(directory).absolute()) if directory else ""
        check_log_checkpoints(log_checkpoints, (LINK, NONE))
        super().__init__(
            TrackioClient(project, run_name, group, where, space_id, server_url, log_checkpoints)
        )


class TrackioClient(TrackerClient):
    """The calls to Trackio; see `Trackio` for the arguments."""

    package = "trackio"
    title = "Trackio"
    passed = ("TRACKIO_", "HF_TOKEN")

    def __init__(
        self,
        project: str,
        run_name: str,
        group: str,
        directory: str,
        space_id: str,
        server_url: str,
        log_checkpoints: str,
    ) -> None:
        super().__init__()
        self._project = project
        self._run_name = run_name
        self._group = group
        self._space_id = space_id
        self._server_url = server_url
        self._log_checkpoints = log_checkpoints
        self._memory = Memory()
        self._name = ""
        self._config: dict[str, Any] = {}
        self._remote: Any = None
        self._is_remote = bool(space_id or server_url)
        self.environment = {
            "DO_NOT_TRACK": "true",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **({} if self._is_remote else {"HF_HUB_OFFLINE": "1"}),
            **({"TRACKIO_DIR": directory} if directory else {}),
        }

    @property
    def where(self) -> str:
        """The address of the tracker."""
        return redacted(self._space_id or self._server_url) or "Trackio"

    def open(self, run: TrackedRun, memory: Memory) -> Memory:
        """Begins a run, or continues the one of `memory`."""
        self._memory = memory if memory.run_id else Memory(secrets.token_hex(16))
        self._name = self._run_name or run.name
        self._config = {**run.hyperparameters, "raymon.directory": run.directory}
        if self._group:
            self._config["_Group"] = self._group
        warnings.showwarning = self._show_warning
        if self._is_remote:
            import trackio

            self._remote = trackio.init(
                self._project,
                # By its name alone a run is found again there.
                name=f"{self._name}-{self._memory.run_id[:8]}",
                group=self._group or None,
                space_id=self._space_id or None,
                server_url=self._server_url or None,
                config=self._config,
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        return self._memory

    def write(self, events: Sequence[Event]) -> Memory:
        """Writes events."""
        points = [event for event in events if isinstance(event, Points)]
        for event in events:
            if isinstance(event, CheckpointSaved):
                self._memory = remembered(self._memory, event)
                if self._log_checkpoints != NONE:
                    self._config["checkpoint"] = event.path
            elif isinstance(event, RunEnded):
                self._config["raymon.status"] = event.status
                if event.error:
                    self._config["raymon.error"] = redacted(event.error)
        if self._is_remote:
            for each in points:
                self._remote.log(_values(each), step=each.step)
        else:
            self._write_points(points)
        self._write_alerts([event for event in events if isinstance(event, AlertLine)])
        return self._memory

    def close(self) -> None:
        """Waits for what is on its way."""
        if self._remote is not None:
            self._remote.finish()

    def abandon(self) -> None:
        """Waits for what is on its way."""
        self.close()

    def _write_points(self, points: Sequence[Points]) -> None:
        from trackio.sqlite_storage import SQLiteStorage

        # Without points there is nothing that the config could be written with.
        if not points:
            return
        SQLiteStorage.bulk_log(
            project=self._project,
            run=self._name,
            run_id=self._memory.run_id,
            metrics_list=[_values(each) for each in points],
            steps=[each.step for each in points],
            timestamps=[_iso(each.time) for each in points],
            config=self._config,
            # A point that is written again has the same, and is ignored.
            log_ids=[self._id_of(each) for each in points],
        )

    def _write_alerts(self, alerts: Sequence[AlertLine]) -> None:
        if self._remote is not None:
            from trackio import AlertLevel

            for each in alerts:
                level = AlertLevel.INFO if each.is_over else AlertLevel.WARN
                self._remote.alert(each.kind, redacted(each.text), level=level, step=each.step)
        elif alerts:
            from trackio.sqlite_storage import SQLiteStorage

            SQLiteStorage.bulk_alert(
                project=self._project,
                run=self._name,
                run_id=self._memory.run_id,
                titles=[each.kind for each in alerts],
                texts=[redacted(each.text) for each in alerts],
                levels=["info" if each.is_over else "warn" for each in alerts],
                steps=[each.step for each in alerts],
                timestamps=[_iso(each.time) for each in alerts],
                alert_ids=[
                    f"{self._memory.run_id}-{each.kind}-{each.time}-{each.is_over}"
                    for each in alerts
                ],
            )

    def _id_of(self, points: Points) -> str:
        kind = "evaluation" if points.of_evaluation else "training"
        return f"{self._memory.run_id}-{kind}-{points.step}-{points.time!r}"

    def _show_warning(self, message: Warning | str, *args: object, **kwargs: object) -> None:
        # Trackio says by warnings what it could not write.
        self.note(str(message)[:40], " ".join(str(message).split())[:200])


def _values(points: Points) -> dict[str, float]:
    return {**points.values, "attempt": points.attempt}


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s or time.time(), UTC).isoformat()
