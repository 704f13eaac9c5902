"""The sink that writes to a tracker, whichever it is."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from typing import Any

from raymon.errors import UserError
from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    RunEnded,
    Snapshot,
)
from raymon.sinks.trackers.client import TrackerClient
from raymon.sinks.trackers.events import AlertLine, Event, Points, TrackedRun
from raymon.sinks.trackers.tracker_file import Kept, read_kept, tracker_file, write_kept
from raymon.sinks.trackers.tracker_process import TrackerProcess
from raymon.storage import StoragePath, storage_path

OPEN_S = 90.0
"""Seconds for the import of a library, and the first answer of its tracker."""

WRITE_S = 60.0
"""Seconds for a part of the events."""

_PART = 50
"""Events that are written at once, and kept as written once they are."""

_MOST_GATHERED = 20_000
"""Events that wait for a tracker that does not take them; of more, the oldest points are lost."""


class TrackerSink:
    """A sink that gathers events, and has them written by a process of the tracker's own.

    What the tracker has is kept in `monitor/tracker_{name}.json`, so a reporter or a run that is
    started again continues the same run of the tracker. Numbers that are published again are not
    written again; steps that are made again are.

    Args:
        client: Makes the calls to the library of the tracker.

    Raises:
        UserError: The library is not installed.
    """

    tries = 1
    """A flush that failed is tried again with the next, some seconds later."""

    close_s = 45.0
    """Seconds that the close of a run waits for it: on a busy machine MLflow takes 30 to be there.

    One that does not answer has failed by then, and is not waited for.
    """

    def __init__(self, client: TrackerClient) -> None:
        if importlib.util.find_spec(client.package) is None:
            name = client.package
            raise UserError(f'{client.title} needs {name}; pip install "raymon[{name}]"')
        self._client = client
        self._run = TrackedRun()
        self._path: StoragePath | None = None
        self._environment: dict[str, str] = {}
        self._kept: Kept | None = None
        self._attempt = 0
        self._gathered: list[Event] = []
        self._lost = 0
        self._process: TrackerProcess | None = None
        self._is_open = False
        self._fails = False
        self._notices: list[str] = []

    @property
    def client(self) -> TrackerClient:
        """Makes the calls to the library of the tracker."""
        return self._client

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables of the driver that are passed to the process of the tracker."""
        return self._environment

    def kept(self) -> Kept:
        """Returns what the directory of the run keeps of its run in the tracker by now.

        Raises:
            OSError, ValueError: It cannot be read.
        """
        return Kept() if self._path is None else read_kept(self._path)

    def bind(self, run: TrackedRun, number: int = 0) -> None:
        """Tells of the run, before the first call.

        Args:
            run: The run.
            number: How many sinks of this kind the run has before this one.
        """
        name = self._client.package if number == 0 else f"{self._client.package}_{number + 1}"
        self._run = run
        self._path = tracker_file(storage_path(run.directory), name) if run.directory else None
        # Of the driver: the process of the reporter may be on a machine that has no tokens.
        passed = self._client.passed
        self._environment = {
            name: value for name, value in os.environ.items() if name.startswith(passed)
        }

    def begin_attempt(self, attempt: AttemptBegan) -> None:
        """Starts the process of the tracker, and takes back what the attempt makes again."""
        if self._process is None:
            self._start()
        kept = self._known()
        if attempt.attempt != kept.attempt:
            kept.step = min(kept.step, attempt.step)
            kept.attempt = attempt.attempt
        self._attempt = attempt.attempt

    def fail_attempt(self, failed: AttemptFailed) -> None:
        """Does nothing: what failed is told at the end, or by the attempt that follows."""

    def write(self, snapshot: Snapshot) -> None:
        """Gathers the numbers of a snapshot, unless the tracker has them."""
        if snapshot.end_step > self._known().step:
            self._gather(Points.of(snapshot, self._attempt))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Gathers the scores of an evaluation, unless the tracker has them."""
        if self._known().evaluations.get(str(evaluation.step)) != evaluation.time:
            self._gather(Points.of_scores(evaluation, self._attempt, self._run.losses))

    def write_alert(self, alert: Alert) -> None:
        """Gathers the begin or the end of what is wrong."""
        self._gather(AlertLine.of(alert))

    def write_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        """Gathers where a checkpoint is."""
        if checkpoint.path is not None:
            self._gather(checkpoint)

    def end_run(self, ended: RunEnded) -> None:
        """Gathers how the run ended."""
        self._gather(ended)

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Forgets what was gathered of later steps: a tracker takes nothing back."""
        self._gathered = [
            event
            for event in self._gathered
            if not isinstance(event, Points)
            or event.step <= (evaluation_step if event.of_evaluation else step)
        ]

    def flush(self) -> None:
        """Writes what was gathered.

        Raises:
            OSError: The tracker does not take it.
        """
        if not self._gathered:
            return
        self._fails = True
        self._open()
        while self._gathered:
            part = self._gathered[:_PART]
            self._keep(self._call("write", part, timeout_s=WRITE_S), part)
            del self._gathered[: len(part)]
            self._save()
        self._fails = False

    def close(self) -> None:
        """Writes what is left, and ends the process of the tracker.

        A tracker that did not take the last points is not waited for again.
        """
        try:
            if not self._fails:
                self.flush()
            if self._is_open:
                self._call("close", timeout_s=WRITE_S)
        finally:
            lost = self._lost + sum(isinstance(event, Points) for event in self._gathered)
            if lost:
                self._notices.append(f"closed without {lost} points that it did not take")
            self._gathered, self._lost = [], 0
            if self._process is not None:
                self._process.end(1.0)

    def take_notices(self) -> list[str]:
        """Returns the notices since the last call."""
        taken, self._notices = self._notices, []
        return taken

    def _gather(self, event: Event) -> None:
        self._gathered.append(event)
        if len(self._gathered) > _MOST_GATHERED:
            oldest = next(i for i, each in enumerate(self._gathered) if isinstance(each, Points))
            del self._gathered[oldest]
            if not self._lost:
                self._notices.append(
                    f"more than {_MOST_GATHERED} points wait for it; it will lack the oldest"
                )
            self._lost += 1

    def _known(self) -> Kept:
        if self._kept is None:
            try:
                self._kept = self.kept()
            except ValueError as error:
                self._notices.append(f"{error}; a new run begins there")
                self._kept = Kept()
        return self._kept

    def _start(self) -> TrackerProcess:
        self._process = TrackerProcess(self._client, self._environment)
        self._is_open = False
        return self._process

    def _open(self) -> None:
        if self._is_open:
            return
        if self._process is None:
            self._start()
        known = self._known()
        known.memory = self._call("open", self._run, known.memory, timeout_s=OPEN_S)
        self._is_open = True
        self._save()

    def _call(self, method: str, *arguments: Any, timeout_s: float) -> Any:
        assert self._process is not None
        try:
            value, notes = self._process.call(method, *arguments, timeout_s=timeout_s)
        except (TimeoutError, ConnectionError):
            if not self._process.is_alive:
                self._process, self._is_open = None, False
            raise
        self._notices += notes
        return value

    def _keep(self, memory: Any, part: Sequence[Event]) -> None:
        kept = self._known()
        kept.memory = memory
        for event in part:
            if isinstance(event, Points) and event.of_evaluation:
                kept.evaluations[str(event.step)] = event.time
            elif isinstance(event, Points):
                kept.step = max(kept.step, event.step)

    def _save(self) -> None:
        if self._path is not None:
            write_kept(self._path, self._known())
