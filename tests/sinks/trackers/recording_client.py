"""A tracker of the tests: a file with a line for each event."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raymon.results import CheckpointSaved, RunEnded
from raymon.sinks.trackers.client import Memory, TrackerClient
from raymon.sinks.trackers.events import AlertLine, Event, Points, TrackedRun


class RecordingClient(TrackerClient):
    """Writes events to a file; a file `hang` or `refuse` beside it has it do that."""

    package = "json"
    title = "Recording"
    passed = ("RECORDING_",)

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._memory = Memory()

    @property
    def where(self) -> str:
        return str(self._path)

    def open(self, run: TrackedRun, memory: Memory) -> Memory:
        self._behave()
        self._memory = memory if memory.run_id else Memory("run-1")
        self._add({"open": self._memory.run_id, "run": run.name, "pid": os.getpid()})
        return self._memory

    def write(self, events: Sequence[Event]) -> Memory:
        self._behave()
        print("what a library prints goes nowhere")
        for event in events:
            if isinstance(event, Points):
                row = {"step": event.step, "attempt": event.attempt, **event.values}
                self._add({**row, "eval": event.of_evaluation})
            elif isinstance(event, AlertLine):
                self._add({"alert": event.kind, "text": event.text})
            elif isinstance(event, CheckpointSaved):
                self._add({"checkpoint": event.step})
            elif isinstance(event, RunEnded):
                self._add({"status": event.status})
        return self._memory

    def close(self) -> None:
        self._add({"close": True})

    def _behave(self) -> None:
        if (self._path.parent / "hang").exists():
            time.sleep(60)
        if (self._path.parent / "refuse").exists():
            token = os.environ.get("RECORDING_TOKEN", "")
            raise PermissionError(f"http://user:{token}@host/api?token={token} refuses the token")

    def _add(self, line: dict[str, Any]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def lines(path: Path) -> list[dict[str, Any]]:
    """Returns what the tracker has."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
